--[[ slides.lua: a chapter's slides, for Typst.

  pandoc chapters/05-rmsnorm-rope/slides.md -L book/slides/slides.lua -t typst

Each heading of the second level begins a slide. Listings, transcripts, values
and pictures are named as in chapter.md, and cut by the same code; what a
slide shows of a region can be narrowed, from="..." to="...", to the lines
between the first that contains the one and the next that contains the other.
Pictures take their alternative text from the chapter. ::: question is put to
the class, ::: notes is for who stands in front of it.

Given a chapter.md, makes a draft of a deck out of it: formulas, pictures,
exercises, and the code that fits, with the question asked before it.    ]]

local here = pandoc.path.directory(PANDOC_SCRIPT_FILE)
local filters = pandoc.path.join { here, '..', 'filters' }
local sources = dofile(filters .. '/sources.lua')
local formula = dofile(filters .. '/formula.lua')
local stringify = pandoc.utils.stringify

local MAX_CODE = 14         -- lines that can be read from the last row

local path = PANDOC_STATE.input_files[1]
local folder = pandoc.path.directory(path)

local function wrong(...)
  sources.problem('%s: %s', path, string.format(...))
end

local value_span = dofile(filters .. '/value.lua')(wrong)

local function raw(text) return pandoc.RawBlock('typst', text) end

local function quoted(text)
  return '"' .. text:gsub('\\', '\\\\'):gsub('"', '\\"')
    :gsub('\n', '\\n') .. '"'
end

-------------------------------------------------------------------- code

-- The lines from the first that contains `from` to the next with `to`.
local function narrow(lines, numbers, from, to, name)
  local first, last = 1, #lines
  local function find(text, start)
    for i = start, #lines do
      if lines[i]:find(text, 1, true) then return i end
    end
    wrong('%s: no line with "%s"', name, text)
    return start
  end
  if from then first = find(from, 1) end
  if to then last = find(to, first) end
  local kept, least = {}, math.huge
  for i = first, last do
    if lines[i]:find '%S' then
      least = math.min(least, #lines[i]:match '^ *')
    end
  end
  for i = first, last do kept[#kept + 1] = lines[i]:sub(least + 1) end
  return kept, { table.unpack(numbers, first, last) }
end

local function listing_call(lines, where, language, kind)
  return raw(string.format('#listing(%s, lang: %s, where: %s, kind: %s)',
    quoted(table.concat(lines, '\n')), quoted(language), quoted(where),
    quoted(kind)))
end

local function source_place(file, numbers)
  return file .. ', lines ' .. numbers[1] .. '\u{2013}' .. numbers[#numbers]
end

-- Lines, the place they come from, language, kind; nil on a problem.
local function read_code(block)
  local file = block.attributes.file
  local kind = block.classes:includes 'transcript' and 'transcript'
    or block.classes:includes 'sketch' and 'sketch' or 'source'
  local language = block.classes:find_if(function(c)
    return c ~= 'transcript' and c ~= 'sketch' end) or 'text'
  if kind == 'sketch' then
    local lines = {}
    for line in (block.text .. '\n'):gmatch '(.-)\n' do
      lines[#lines + 1] = line
    end
    return lines, nil, 'sketch', language, kind
  elseif not file then
    wrong('a code block names no file and is not marked .sketch')
    return nil
  end
  local lines, numbers = sources.quote(file, block.attributes.region)
  if not lines then return nil end
  lines, numbers = narrow(lines, numbers, block.attributes.from,
                          block.attributes.to, file)
  return lines, numbers, file, language, kind
end

local function code(block)
  local lines, numbers, file, language, kind = read_code(block)
  if not lines then return {} end
  if #lines > MAX_CODE then
    wrong('%s has %d lines, a slide at most %d', file, #lines, MAX_CODE)
  end
  local where = kind == 'source' and source_place(file, numbers) or file
  return listing_call(lines, where, language, kind)
end

---------------------------------------------------------------- pictures

-- What the chapter says its pictures show, by their names.
local function alternative_texts(blocks)
  local texts = {}
  blocks:walk { Image = function(img)
    texts[img.src] = stringify(img.caption)
  end }
  return texts
end

local alternatives = {}
local alone = true          -- the picture has its slide to itself

local function image(img)
  local file = sources.exists(folder .. '/' .. img.src)
    and folder .. '/' .. img.src or img.src
  if not sources.exists(file) then
    wrong('the picture %s does not exist', img.src)
  end
  local alt = alternatives[img.src] or stringify(img.caption)
  if #alt < 20 then
    wrong('the picture %s is not in the chapter, and needs alt="..."',
          img.src)
  end
  return pandoc.RawInline('typst', string.format(
    '#picture(%s, alt: %s, alone: %s)', quoted('/' .. file), quoted(alt),
    tostring(alone)))
end

------------------------------------------------------------------ slides

local function box(div)
  if not div.classes:includes 'question' then return nil end
  local blocks = pandoc.Blocks { raw '#question[' }
  blocks:extend(div.content)
  blocks:insert(raw ']')
  return blocks
end

-- A fence with a mistake in its braces is read as words in a line.
local function inline_code(c)
  if c.text:match '^{%.' then wrong('cannot read %s', c.text) end
end

local in_blocks = { CodeBlock = code, Code = inline_code, Image = image,
                    Span = value_span, Div = box,
                    Figure = function(f) return f.content end }

-- { title, body, notes } for each slide.
local function cut(blocks)
  local slides = {}
  for _, block in ipairs(blocks) do
    local now = slides[#slides]
    if block.t == 'Header' then
      slides[#slides + 1] = { title = block.content, body = pandoc.Blocks {},
                              notes = pandoc.Blocks {} }
    elseif not now then
      wrong 'something stands before the first heading'
      break
    elseif block.t == 'Div' and block.classes:includes 'notes' then
      now.notes:extend(block.content)
    else
      now.body:insert(block)
    end
  end
  return slides
end

local function write_slides(slides)
  local out = pandoc.Blocks {}
  for _, slide in ipairs(slides) do
    out:insert(raw '#slide([')
    out:insert(pandoc.Plain(slide.title))
    out:insert(raw '], notes: [')
    out:extend(slide.notes:walk(in_blocks))
    out:insert(raw '])[')
    alone = #slide.body == 1
    out:extend(slide.body:walk(in_blocks))
    out:insert(raw ']')
  end
  return out
end

----------------------------------------------------- a draft from the text

-- The last sentence of a paragraph, when it asks something.
local function question_of(paragraph)
  local text = stringify(paragraph)
  local last = text:match '[.:?!]%s+([^.:?!][^.?!]*%?)$'
    or text:match '^([^.?!]*%?)$'
  return last and pandoc.Para(last)
end

local function has_display(paragraph)
  local found
  paragraph:walk { Math = function(m)
    if m.mathtype == 'DisplayMath' then found = m end
  end }
  return found
end

local function exercise_title(div)
  local ch, n = div.identifier:match '0*(%d+)%-(%d+)$'
  return pandoc.Inlines('Exercise ' .. (ch or '') .. '.' .. (n or '')
    .. ' · ' .. (div.attributes.kind or '') .. ' · '
    .. (div.attributes.minutes or '') .. ' minutes')
end

-- Slides of one block of the text; `question` is what was asked before it.
local function draft_block(block, title, question)
  local function one(content, its_title)
    local body = pandoc.Blocks {}
    if question then body:insert(question) end
    body:insert(content)
    return { { title = its_title or title, body = body,
               notes = pandoc.Blocks {} } }
  end
  if block.t == 'CodeBlock' then
    local lines = read_code(block)
    return lines and #lines <= MAX_CODE and question and one(block) or {}
  elseif block.t == 'Figure' or block.t == 'Table' then
    return one(block)
  elseif block.t == 'Para' and has_display(block) then
    return one(pandoc.Para { has_display(block) })
  elseif block.t == 'Div' and block.classes:includes 'exercise' then
    return one(pandoc.Div(block.content, pandoc.Attr('', { 'question' })),
               exercise_title(block))
  end
  return {}
end

local function draft(blocks)
  local slides, title, question = {}, pandoc.Inlines {}, nil
  for _, block in ipairs(blocks) do
    if block.t == 'Header' then
      if block.level > 1 then title = block.content end
      question = nil
    else
      for _, slide in ipairs(draft_block(block, title, question)) do
        slides[#slides + 1] = slide
      end
      question = block.t == 'Para' and question_of(block) or nil
    end
  end
  return slides
end

-- References lead to other pages of the book; here they are words: @ch-08 is
-- "chapter 8", @chen2016 "Chen 2016", @fig-x "the figure".
local words = { sec = 'section', fig = 'figure', tbl = 'table',
                lst = 'listing', eq = 'equation', ex = 'exercise' }
local function in_words(id)
  local number = id:match '^ch%-0*(%d+)$'
  if number then return 'chapter ' .. number end
  local kind = words[id:match '^(%a+)%-']
  if kind then return 'the ' .. kind end
  return (id:gsub('^%l', string.upper):gsub('(%a)(%d)', '%1 %2'))
end

local function cite(c)
  local texts = {}
  for i, one in ipairs(c.citations) do texts[i] = in_words(one.id) end
  return pandoc.Str(table.concat(texts, ', '))
end

local function plain_cites(blocks)
  return blocks:walk { Cite = cite,
                       Link = function(l) return l.content end,
                       Note = function() return {} end }
end

-- An id after a formula belongs to the book.
local function drop_ids(blocks)
  return blocks:walk { Str = function(s)
    if s.text:match '^{#eq%-' then return {} end
  end }
end

function Pandoc(doc)
  local file = io.open(folder .. '/chapter.md', 'r')
  local chapter = pandoc.read(file:read 'a', 'markdown').blocks
  file:close()
  alternatives = alternative_texts(chapter)
  for _, block in ipairs(chapter) do
    if block.t == 'Header' and block.level == 1 then
      doc.meta.title = pandoc.MetaInlines(block.content)
    end
  end
  doc.meta.number = tostring(tonumber(folder:match '(%d%d)%-[^/]*$'))
  local blocks = plain_cites(drop_ids(doc.blocks))
  doc.meta.draft = path:match 'chapter%.md$' ~= nil
  local slides = doc.meta.draft and draft(blocks) or cut(blocks)
  doc.blocks = write_slides(slides)
  if #sources.problems > 0 then
    io.stderr:write('The slides are not made:\n  '
      .. table.concat(sources.problems, '\n  ') .. '\n')
    os.exit(1)
  end
  return doc:walk(formula.for_typst)
end
