-- finished.lua: what is asked of a chapter that says `finished: true` in its
-- front matter, and the appendix with the lines that its text leaves out.

return function(book)

local M = { chapters = {}, listings = {} }
local sources, wrong = book.sources, book.wrong
local LEAST_SHOWN = 0.70    -- of the lines, in the running text

-- The modules that chapter NN teaches; what it borrows is taught later.
function M.modules_of(number)
  local modules = {}
  local order = io.open('chapters/order.txt', 'r')
  for line in order and order:lines() or function() end do
    local rest = line:match('^' .. number .. '%s+%S+%s*(.*)$')
    for word in (rest or ''):gsub('ahead:.*', ''):gmatch '%S+' do
      if word ~= 'alone:' then modules[#modules + 1] = word end
    end
  end
  if order then order:close() end
  return modules
end

local prose = { Para = true, Plain = true, BulletList = true,
                OrderedList = true, DefinitionList = true, Table = true,
                BlockQuote = true, Div = true }

-- A listing between two paragraphs: something asks, something answers.
function M.prose_around(blocks)
  local function check(list)
    for i, block in ipairs(list) do
      if block.t == 'CodeBlock' then
        local what = block.attributes.region or block.attributes.file
          or block.text:match '[^\n]*'
        for _, side in ipairs { { i - 1, 'before' }, { i + 1, 'after' } } do
          local other = list[side[1]]
          if not (other and prose[other.t]) then
            wrong('no prose %s the listing %s', side[2], what)
          end
        end
      end
    end
  end
  check(blocks)
end

-- Boxes are modules that every program uses and that the text only
-- describes; each has to be named in it, as `common/args.c` for instance.
local function is_box(chapter, path)
  local module = path:match '^common/([%w_]+)%.[ch]$'
  return module and chapter.boxes[module] or false
end

local function percent(part, whole)
  return whole == 0 and 100 or math.floor(100 * part / whole)
end

-- Adds up a chapter's files; notes which of them the appendix has to show.
local function measure(chapter)
  local sum = { text = 0, lines = 0, boxes = 0, tables = 0, files = {},
                chapter = chapter }
  for _, path in ipairs(sources.files_of(chapter.modules, chapter.folder)) do
    local entry = sources.left_out(path, chapter.tables)
    sum.tables = sum.tables + entry.in_tables
    if is_box(chapter, path) then
      sum.boxes = sum.boxes + entry.total
    else
      sum.lines = sum.lines + entry.total
      sum.text = sum.text + entry.total - #entry.missing
    end
    if entry.unseen then sum.files[#sum.files + 1] = path end
  end
  return sum
end

function M.check(chapter)
  local sum = measure(chapter)
  M.chapters[#M.chapters + 1] = sum
  for module in pairs(chapter.boxes) do
    if not chapter.text:find('`common/' .. module .. '%.[ch]') then
      wrong('the box %s is not named: `common/%s.c`', module, module)
    end
  end
  if sum.text < LEAST_SHOWN * sum.lines then
    wrong('shows %d %% of its code in the text, at least %d %% are asked',
          percent(sum.text, sum.lines), 100 * LEAST_SHOWN)
  end
end

function M.report()
  local lines = {}
  for _, sum in ipairs(M.chapters) do
    lines[#lines + 1] = string.format(
      'chapter %02d: %d of %d lines (%d %%) in the text, the rest in the '
      .. 'appendix; not counted: %d lines of boxes, %d of tables\n',
      sum.chapter.number, sum.text, sum.lines, percent(sum.text, sum.lines),
      sum.boxes, sum.tables)
  end
  return table.concat(lines)
end

----------------------------------------------------------- the appendix

-- "Lines 9-16 are shown on page 12, ...", with links.
local function places(path)
  local out = pandoc.Inlines {}
  for i, place in ipairs(book.places[path] or {}) do
    out:extend { pandoc.Str(i == 1 and 'In the text:' or ';'), pandoc.Space(),
                 pandoc.Link(book.line_text(place.numbers), '#' .. place.id,
                             '', { class = 'ref' }) }
    if book.typst then
      out:insert(book.raw_inline('#page-of(<' .. place.id .. '>)'))
    end
  end
  if #out > 0 then out:insert(pandoc.Str '.') end
  return out
end

function M.appendix()
  local blocks, seen = pandoc.Blocks {}, {}
  for _, sum in ipairs(M.chapters) do
    for _, path in ipairs(sum.files) do
      if not seen[path] then
        seen[path] = true
        -- A page of file names would tell a reader of the contents nothing.
        blocks:insert(pandoc.Header(2, { pandoc.Code(path) },
                                    pandoc.Attr('', { 'unlisted' })))
        local where = places(path)
        if #where > 0 then blocks:insert(pandoc.Para(where)) end
        for _, piece in ipairs(sources.rest(path)) do
          blocks:extend(book.rest(path, piece))
        end
      end
    end
  end
  return blocks
end

return M

end
