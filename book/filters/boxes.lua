-- boxes.lua: exercises, notes and warnings; in the teacher's edition the
-- solutions behind the exercises.

return function(book)

local M = { teacher = false }
local sources, wrong, define = book.sources, book.wrong, book.define
local parts, typst, raw = book.parts, book.typst, book.raw
local markdown_inlines = book.markdown_inlines

local boxes = { exercise = 'Exercise', note = 'Note',
                warning = 'Take care', box = 'Box' }

local function find_exercise(name)
  local number = name:match '^(%d%d)%-'
  local folder = number and parts[number]
  for _, entry in ipairs(folder and pandoc.system.list_directory(folder)
                         or {}) do
    if entry == 'exercises' then
      for _, e in ipairs(pandoc.system.list_directory(folder .. '/' .. entry))
      do
        if e == name or e:sub(1, #name + 1) == name .. '-' then return e end
      end
    end
  end
end

-- Exercise 05-2 claims a folder when it names one, folder="05-2-unrotate".
local function exercise_head(div)
  local number = div.identifier:match '^ex%-(%d%d%-%d+)$'
    or div.identifier:match '^(%d%d%-%d+)$'
  if not number then
    wrong('an exercise needs an id such as "05-2", not "%s"', div.identifier)
    return 'Exercise'
  end
  local ch, n = number:match '^0*(%d+)%-(%d+)$'
  div.identifier = 'ex-' .. number
  define(div.identifier, ch .. '.' .. n)
  local claim = div.attributes.folder
  if claim and not find_exercise(claim) then
    wrong('exercise %s: no folder exercises/%s', number, claim)
  end
  local head = 'Exercise\u{a0}' .. ch .. '.' .. n
  for _, more in ipairs { div.attributes.kind or '',
      div.attributes.minutes and div.attributes.minutes .. ' minutes' or '' }
  do
    if more ~= '' then head = head .. ' \u{b7} ' .. more end
  end
  return head
end

------------------------------------------------------ the teacher's edition

-- What answers exercise 05-2: solutions/05-2-name.c, .txt or .md, in order.
local function solutions_of(number)
  local ok, names = pcall(pandoc.system.list_directory, 'solutions')
  local paths = {}
  for _, name in ipairs(ok and names or {}) do
    local rest = name:match('^' .. number:gsub('%-', '%%-') .. '(%D.*)$')
    if rest and not rest:match '%.wrong$' then
      paths[#paths + 1] = 'solutions/' .. name
    end
  end
  table.sort(paths)
  return paths
end

local function solution_blocks(path)
  if path:match '%.md$' then
    local file = io.open(path, 'r')
    local text = file:read 'a'
    file:close()
    -- Words: its headings would be sections of the book.
    return pandoc.read(text, 'markdown').blocks:walk {
      Header = function(h) return pandoc.Para { pandoc.Strong(h.content) } end,
      CodeBlock = function(code)
        return book.set('sketch', 'text', '', {}, code.text,
                        pandoc.Inlines {}, '')
      end }
  end
  local lines, numbers = sources.quote(path)
  if not lines then return pandoc.Blocks {} end
  local is_c = path:match '%.c$'
  return book.set(is_c and 'solution' or 'transcript', is_c and 'c' or 'text',
                  path, is_c and numbers or {}, table.concat(lines, '\n'),
                  pandoc.Inlines {}, '')
end

-- Behind the box of an exercise what answers it; nothing for readers.
local function with_solution(blocks, number)
  if not M.teacher or not number then return blocks end
  local paths = solutions_of(number)
  if #paths == 0 and book.finished() then
    wrong('exercise %s has no solution in solutions/', number)
  end
  for i, path in ipairs(paths) do
    if i == 1 then
      blocks:insert(pandoc.Para { pandoc.Emph 'Solution.' })
    end
    blocks:extend(solution_blocks(path))
  end
  return blocks
end

local function box(div)
  if div.classes:includes 'wide' and typst then
    local blocks = pandoc.Blocks { raw '#wide[' }
    blocks:extend(div.content)
    blocks:insert(raw ']')
    return blocks
  end
  local class = div.classes:find_if(function(c) return boxes[c] ~= nil end)
  if not class then return nil end
  local head = class == 'exercise' and exercise_head(div) or boxes[class]
  local number = class == 'exercise'
    and div.identifier:match '^ex%-(%d%d%-%d+)$'
  local title = pandoc.Inlines { pandoc.Strong { pandoc.Str(head) } }
  if div.attributes.title then
    title:extend { pandoc.Str '.', pandoc.Space() }
    title:extend(markdown_inlines(div.attributes.title))
  end
  if not typst then
    div.content:insert(1, pandoc.Div({ pandoc.Plain(title) },
                                     { class = 'box-title' }))
    div.classes:insert 'boxed'
    div.attributes = {}
    return with_solution(pandoc.Blocks { div }, number)
  end
  local id = div.identifier
  local blocks = pandoc.Blocks {
    raw('#boxed(kind: "' .. class .. '", title: ['), pandoc.Plain(title),
    raw '])[' }
  blocks:extend(div.content)
  blocks:insert(raw(']' .. (id ~= '' and ' <' .. id .. '>' or '')))
  return with_solution(blocks, number)
end

M.box, M.find_exercise = box, find_exercise
return M

end
