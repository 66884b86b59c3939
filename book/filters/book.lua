--[[ book.lua: weaves the chapters into one document, for PDF and HTML.

  pandoc book/preface.md -M chapters="chapters/01-.../chapter.md ..."
         -L book/filters/book.lua --citeproc -t typst | -t html

  book/README.md says how a chapter is written. Whatever is wrong is
  collected, printed as one list, and ends the build.                    ]]

local here = pandoc.path.directory(PANDOC_SCRIPT_FILE)
local sources = dofile(here .. '/sources.lua')
local formula = dofile(here .. '/formula.lua')
local problem = sources.problem
local stringify = pandoc.utils.stringify

local MIN_ALT = 20          -- characters; less says nothing about a picture

local typst = FORMAT:match 'typst' ~= nil
local labels = {}           -- id -> number, for everything with a number
local chapter = {}          -- the chapter at hand: number, folder, file
local counters = {}
local parts = {}            -- what the build has: "05" -> folder, or false
local sources_cited = {}    -- citation ids
local places = {}           -- path -> where its pieces are shown

local words = { ch = 'Chapter', sec = 'Section', fig = 'Figure',
                tbl = 'Table', lst = 'Listing', eq = 'Equation',
                ex = 'Exercise' }

local function raw(text) return pandoc.RawBlock(FORMAT, text) end

local function raw_inline(text) return pandoc.RawInline(FORMAT, text) end

local function wrong(...)
  problem('%s: %s', chapter.file or 'book/preface.md', string.format(...))
end

local function quoted(text)
  text = text:gsub('\\', '\\\\'):gsub('"', '\\"'):gsub('\n', '\\n')
  return '"' .. text .. '"'
end

local function markdown_inlines(text)
  return pandoc.utils.blocks_to_inlines(pandoc.read(text, 'markdown').blocks)
end

local function first_line(text)
  local line = text:match '[^\n]*'
  return #line > 40 and line:sub(1, 40) .. '...' or line
end

-------------------------------------------------------------- numbering

local function define(id, number)
  if labels[id] then wrong('the id %s is used twice', id) end
  labels[id] = number
end

local function next_number(kind)
  counters[kind] = (counters[kind] or 0) + 1
  return (chapter.number or 0) .. '.' .. counters[kind]
end

-- "Figure 5.2." before a caption, as inlines.
local function caption_head(kind, number)
  return pandoc.Inlines {
    pandoc.Strong { pandoc.Str(words[kind] .. '\u{a0}' .. number .. '.') },
    pandoc.Space() }
end

local function number_caption(element, kind)
  local number = next_number(kind)
  define(element.identifier, number)
  local long = element.caption.long
  if #long == 0 then
    long:insert(pandoc.Plain(caption_head(kind, number)))
  else
    long[1].content = caption_head(kind, number) .. long[1].content
  end
  element.caption.long = long
end

-- A heading may carry its number, as in "## 5.3 Turning": then it must be
-- the right one, and the page design prints its own.
local function drop_typed_number(header, number)
  local first = header.content[1]
  local typed = first and first.t == 'Str'
    and first.text:match '^(%d[%d.]*)$'
  if not typed or #header.content < 3 then return end
  if typed:gsub('%.$', '') ~= number then
    wrong('the heading "%s" is number %s', stringify(header), number)
  end
  header.content:remove(1)
  header.content:remove(1)
end

local function print_number(header, number)
  header.content:insert(1, pandoc.Str(number .. '\u{2002}'))
end

local function section_number(level)
  counters[level] = (counters[level] or 0) + 1
  for deeper = level + 1, 6 do counters[deeper] = 0 end
  local number = { tostring(chapter.number or 0) }
  for l = 2, level do number[l] = tostring(counters[l] or 0) end
  return table.concat(number, '.')
end

local function heading(header)
  -- Headings recur from chapter to chapter, so only ids given by hand stay.
  local id = header.identifier
  if not id:match '^sec%-' then header.identifier = '' end
  if chapter.continued then
    if header.level == 1 then
      header.identifier = string.format('more-%02d', chapter.number)
    end
    if header.identifier ~= '' then define(header.identifier, '') end
    return header
  end
  if header.level == 1 then
    chapter.n_titles = (chapter.n_titles or 0) + 1
    if not chapter.number then return header end
    header.identifier = string.format('ch-%02d', chapter.number)
    drop_typed_number(header, tostring(chapter.number))
    -- The page design has its own way to show the number of a chapter.
    if not typst then print_number(header, tostring(chapter.number)) end
    return header
  end
  if header.classes:includes 'unnumbered' then return header end
  if not chapter.number then return header end
  local number = section_number(header.level)
  drop_typed_number(header, number)
  if header.identifier ~= '' then define(id, number) end
  if header.level <= 3 then print_number(header, number) end
  return header
end

local value_span = dofile(here .. '/value.lua')(wrong)

local words_of = dofile(here .. '/words.lua') {
  wrong = wrong, typst = typst, quoted = quoted, raw = raw,
  raw_inline = raw_inline,
}

local listing = dofile(here .. '/listing.lua') {
  sources = sources, typst = typst, raw = raw, quoted = quoted,
  wrong = wrong, define = define, next_number = next_number,
  caption_head = caption_head, markdown_inlines = markdown_inlines,
  first_line = first_line, file = function() return chapter.file end,
  places = places,
}

local finished = dofile(here .. '/finished.lua') {
  sources = sources, wrong = wrong, places = places, typst = typst,
  raw_inline = raw_inline, rest = listing.rest,
  line_text = listing.line_text,
}

local boxes = dofile(here .. '/boxes.lua') {
  sources = sources, typst = typst, raw = raw, wrong = wrong,
  define = define, parts = parts, markdown_inlines = markdown_inlines,
  set = listing.set, finished = function() return chapter.finished end,
}

----------------------------------------------------- pictures and values

-- The path from the root: a picture is named from its chapter or the root.
local function image_path(src)
  local beside = chapter.folder and chapter.folder .. '/' .. src
  local path = beside and sources.exists(beside) and beside or src
  if not sources.exists(path) then
    wrong('the image %s does not exist', src)
  end
  return path
end

-- Pandoc puts alt="..." into the caption of an image, and the caption of the
-- figure where there is none: that one does not say what the picture shows.
local function image(img, figure_caption)
  local alt = img.attributes.alt or stringify(img.caption)
  if #alt < MIN_ALT or alt == figure_caption then
    wrong('the image %s needs alt="..." that says what it shows', img.src)
  end
  local path = image_path(img.src)
  if typst then
    local width = img.attributes.width
    return raw_inline(string.format('#image(%s, alt: %s%s)',
      quoted('/' .. path), quoted(alt),
      width and ', width: ' .. width or ''))
  end
  img.src = path
  return img
end

local function figure(fig)
  local caption = stringify(fig.caption.long)
  fig = fig:walk { Image = function(img) return image(img, caption) end,
                   Span = value_span }
  if fig.identifier:match '^fig%-' then number_caption(fig, 'fig') end
  return fig, false
end

--------------------------------------------------------------- equations

-- $$ ... $$ {#eq-x}: the id follows the formula in the same paragraph.
local function equations(inlines)
  local out, i = pandoc.Inlines {}, 1
  while inlines[i] do
    local math, j = inlines[i], i + 1
    local display = math.t == 'Math' and math.mathtype == 'DisplayMath'
    if display and inlines[j] and (inlines[j].t == 'Space'
                                   or inlines[j].t == 'SoftBreak') then
      j = j + 1
    end
    local id = display and inlines[j] and inlines[j].t == 'Str'
      and inlines[j].text:match '^{#(eq%-[%w_%-]+)}'
    if id then
      local number = next_number 'eq'
      define(id, number)
      if typst then
        out:extend { raw_inline '#numbered[', math,
                     raw_inline('][(' .. number .. ')] <' .. id .. '>') }
      else
        out:insert(pandoc.Span(
          { math, pandoc.Span({ pandoc.Str('(' .. number .. ')') },
                              { class = 'equation-number' }) },
          pandoc.Attr(id, { 'equation' })))
      end
      local rest = inlines[j].text:match '}(.*)$'
      if rest ~= '' then out:insert(pandoc.Str(rest)) end
      i = j + 1
    else
      out:insert(math)
      i = i + 1
    end
  end
  return out
end

-------------------------------------------------------------- references

local function reference(one)
  local kind, number = one.id:match '^(%a+)%-', labels[one.id]
  local part = one.id:match '^ch%-(%d%d)$'
  if part and parts[part] ~= nil then
    number = tonumber(part)
  elseif not number then
    wrong('@%s refers to nothing', one.id)
    number = '??'
  end
  local text = { pandoc.Str(words[kind] .. '\u{a0}' .. number) }
  -- A chapter that has no text yet has a number already, but no place.
  if not labels[one.id] then return pandoc.Inlines(text) end
  return pandoc.Inlines { pandoc.Link(text, '#' .. one.id, '',
                                      { class = 'ref' }) }
end

local function cite(c)
  local kind = c.citations[1].id:match '^(%a+)%-'
  if not (kind and words[kind]) then
    for _, one in ipairs(c.citations) do
      sources_cited[#sources_cited + 1] = { id = one.id, file = chapter.file }
    end
    return nil
  end
  local out = pandoc.Inlines {}
  for i, one in ipairs(c.citations) do
    if i > 1 then
      out:insert(pandoc.Str(i == #c.citations and ' and ' or ', '))
    end
    if #one.prefix > 0 then
      out:extend(one.prefix)
      out:insert(pandoc.Space())
    end
    out:extend(reference(one))
    out:extend(one.suffix)
  end
  if c.citations[1].mode ~= 'AuthorInText' then
    out:insert(1, pandoc.Str '(')
    out:insert(pandoc.Str ')')
  end
  return out
end

local function check_link(link)
  local id = link.target:match '^#(.+)$'
  if id and not link.classes:includes 'ref' and not labels[id] then
    wrong('the link to #%s goes nowhere', id)
  end
end

-- `make exercise-05-2` in the text promises a folder that starts with 05-2.
local function promised(code)
  local name = code.text:match '^make %l*%-?exercise%-(%d%d%-%d+)$'
  if name and not boxes.find_exercise(name) then
    wrong('`%s`: no folder exercises/%s-...', code.text, name)
  end
end

local function check_citations(meta)
  local known = {}
  -- Pandoc lists what is cited; "@*" cites everything there is.
  local all = pandoc.Cite('@*', { pandoc.Citation('*', 'NormalCitation') })
  local copy = pandoc.Meta { bibliography = meta.bibliography,
                             nocite = pandoc.MetaInlines { all } }
  for _, entry in ipairs(pandoc.utils.references(pandoc.Pandoc({}, copy))) do
    known[entry.id] = true
  end
  for _, one in ipairs(sources_cited) do
    if not known[one.id] then
      problem('%s: @%s is not in book/references.bib',
              one.file or 'book/preface.md', one.id)
    end
  end
end

------------------------------------------------------------- the document

local first_pass = {
  traverse = 'topdown',
  Header = heading, CodeBlock = listing.block, Div = boxes.box,
  Figure = figure,
  Image = function(img) return image(img) end,
  Inlines = equations, Span = value_span, Code = promised,
  Table = function(t)
    if t.identifier:match '^tbl%-' then number_caption(t, 'tbl') end
    return t
  end,
  RawBlock = function(r)
    if typst and r.format == FORMAT then return r end      -- our own
    if not (r.format == 'html' and r.text:match '^%s*<!%-%-') then
      wrong('raw %s: "%s"', r.format, first_line(r.text))
    end
    return {}
  end,
}

-- A fence whose braces Pandoc cannot read ("region=a b", a quote that is left
-- open) becomes code within a paragraph, and nobody would miss the listing.
local function refuse_lost_fences(path, doc, text)
  local n = 0
  local codes = {}
  doc:walk {
    Code = function(code) codes[#codes + 1] = code.text end,
    -- What becomes of a fence of tildes.
    Subscript = function(sub)
      if #sub.content == 0 then
        problem('%s: the braces of a fence cannot be read', path)
      end
    end,
  }
  for line in (text .. '\n'):gmatch '(.-)\n' do
    n = n + 1
    local braces = line:match '^%s*```+%s*(%f[{].-)%s*$'
    for _, code in ipairs(braces and codes or {}) do
      if code:sub(1, #braces) == braces:gsub('%s+', ' ') then
        problem('%s:%d: the braces of this fence cannot be read: %s', path, n,
                first_line(braces))
        break
      end
    end
  end
end

local function read_text(path)
  local file = io.open(path, 'r')
  if not file then
    problem('%s: no such file', path)
    return pandoc.Pandoc {}, ''
  end
  local text = file:read 'a'
  file:close()
  local doc = pandoc.read(text, 'markdown')
  refuse_lost_fences(path, doc, text)
  return doc, text
end

local function set_of(list)
  local set = {}
  for _, item in ipairs(list or {}) do set[stringify(item)] = true end
  return set
end

-- Terms, marks of the index and bare numbers, before anything is inserted.
local function read_words(blocks)
  words_of.bare_numbers(blocks, chapter.finished)
  return blocks:walk {
    Strong = function(s) return words_of.term(s, chapter) end,
    Span = words_of.index_span }
end

local MAP = 'book/figures/map-%02d.svg'
local MAP_ALT = 'The map of the whole Llama: text becomes ids in the '
  .. 'tokenizer, ids pass through norm, rotation, attention and feed-forward '
  .. 'of every layer, and the sampler turns logits into the next token. '
  .. 'Filled are the boxes of chapters up to %d.'

-- A chapter ends with the map, its own box filled. A paragraph comes first:
-- what is left of a page takes that, and rarely a picture of half a page.
local function insert_map(blocks)
  local path = MAP:format(chapter.number)
  if not sources.exists(path) then return end
  for i, block in ipairs(blocks) do
    if block.t == 'Header' and stringify(block):match 'What we have now$' then
      local next_one = blocks[i + 1]
      local after = next_one and next_one.t == 'Para' and i + 2 or i + 1
      blocks:insert(after, pandoc.Plain { pandoc.Image(
        MAP_ALT:format(chapter.number), path, '',
        { class = 'map', width = '5.42in' }) })
      return
    end
  end
  if chapter.finished then wrong('no section "What we have now"') end
end

local SHORT = 320           -- characters: four lines

-- A short paragraph goes to the next page with the listing it introduces.
local function keep_with_listing(blocks)
  local out = pandoc.Blocks {}
  for i, block in ipairs(blocks) do
    local next_one, last = blocks[i + 1], blocks[i - 1]
    if block.t == 'Para' and next_one and next_one.t == 'CodeBlock'
       and #stringify(block) < SHORT then
      local indent = last and last.t == 'Para' and 'true' or 'false'
      out:extend { raw('#lead-in(indent: ' .. indent .. ')['), block,
                   raw ']' }
    else
      out:insert(block)
    end
  end
  return out
end

-- What a chapter leaves for the end of the book, "more: more.md" in its front
-- matter. It belongs to the chapter: its figures are numbered on, and the
-- lines that it shows are shown.
local function read_more()
  local doc = read_text(chapter.file)
  if chapter.finished then finished.prose_around(doc.blocks) end
  if typst then doc.blocks = keep_with_listing(doc.blocks) end
  return read_words(doc.blocks):walk(first_pass)
end

local function read_chapter(path)
  local folder = pandoc.path.directory(path)
  local number = folder:match '(%d%d)%-[^/]*$'
  chapter = { number = tonumber(number), folder = folder, file = path }
  counters = {}
  if not number then
    problem('%s: its folder has no number', path)
    return pandoc.Blocks {}
  end
  local doc, text = read_text(path)
  chapter.text = text
  chapter.finished = doc.meta.finished == true
  chapter.boxes = set_of(doc.meta.boxes)
  chapter.tables = set_of(doc.meta.tables)
  chapter.modules = finished.modules_of(number)
  define('ch-' .. number, number)
  if chapter.finished then finished.prose_around(doc.blocks) end
  insert_map(doc.blocks)
  if typst then doc.blocks = keep_with_listing(doc.blocks) end
  local blocks = read_words(doc.blocks):walk(first_pass)
  if chapter.n_titles ~= 1 then
    wrong('%d headings of the first level, expected 1',
          chapter.n_titles or 0)
  end
  if doc.meta.more then
    chapter.continued = true
    chapter.file = folder .. '/' .. stringify(doc.meta.more)
    chapter.more = read_more()
    chapter.file, chapter.continued = path, false
  end
  return blocks
end

-- Which chapters the book will have, from the order, and their folders.
local function find_parts()
  local order = io.open('chapters/order.txt', 'r')
  for line in order and order:lines() or function() end do
    local number, name = line:match '^(%d%d)%s+([%w_%-]+)'
    if number then
      local folder = 'chapters/' .. number .. '-' .. name
      parts[number] = pcall(pandoc.system.list_directory, folder) and folder
    end
  end
  if order then order:close() end
end

local function report_coverage()
  local total, missing, lines = 0, 0, {}
  for _, entry in ipairs(sources.coverage()) do
    total, missing = total + entry.total, missing + #entry.missing
    if #entry.missing > 0 then
      lines[#lines + 1] = string.format('%s: %d of %d lines not shown: %s\n',
        entry.path, #entry.missing, entry.total,
        sources.ranges(entry.missing))
    end
  end
  local path = os.getenv 'BOOK_COVERAGE'
  local file = path and io.open(path, 'w')
  if not file then return end
  file:write(table.concat(lines))
  file:write(string.format(
    '%d of %d lines of common/ and of the chapters\' programs are shown\n',
    total - missing, total))
  file:write(string.format(
    '%d bare numbers of three digits or more in the prose\n',
    words_of.bare))
  file:write(finished.report())
  file:close()
end

local function stop_if_wrong()
  if #sources.problems == 0 then return end
  io.stderr:write('The book is not built:\n')
  for _, text in ipairs(sources.problems) do
    io.stderr:write('  ' .. text .. '\n')
  end
  io.stderr:write(string.format('%d problem%s\n', #sources.problems,
                                #sources.problems == 1 and '' or 's'))
  os.exit(1)
end

local function resolve(blocks)
  return blocks:walk { Cite = cite, Link = check_link }
end

local function weave_chapters(doc)
  local texts, more = {}, pandoc.Blocks {}
  for path in stringify(doc.meta.chapters or ''):gmatch '%S+' do
    texts[#texts + 1] = { blocks = read_chapter(path), chapter = chapter }
  end
  for _, text in ipairs(texts) do
    if text.chapter.finished then
      chapter = text.chapter
      finished.check(chapter)
    end
  end
  -- References look forward too, so they wait until all ids are known.
  for _, text in ipairs(texts) do
    chapter = text.chapter
    doc.blocks:extend(resolve(text.blocks))
    more:extend(resolve(chapter.more or pandoc.Blocks {}))
  end
  doc.blocks:extend(more)
  chapter = {}
end

local function part(doc, title, id, blocks)
  doc.blocks:insert(pandoc.Header(1, title,
                                  pandoc.Attr(id, { 'unnumbered' })))
  doc.blocks:extend(blocks)
end

-- Texts before and after the chapters: their sections have no numbers.
local function weave_plain(blocks)
  if typst then blocks = keep_with_listing(blocks) end
  return read_words(blocks):walk(first_pass)
end

local function read_plain(path)
  chapter = { file = path }
  return resolve(weave_plain(read_text(path).blocks))
end

local function back_matter(doc, glossary)
  local appendix = finished.appendix()
  if #appendix > 0 then
    local about = doc.meta.appendix and read_plain(
      stringify(doc.meta.appendix)) or pandoc.Blocks {}
    part(doc, 'Listings that no chapter shows', 'appendix', about)
    doc.blocks:extend(appendix)
  end
  if glossary then
    chapter = { file = stringify(doc.meta.glossary) }
    part(doc, 'Glossary', 'glossary',
         resolve(words_of.glossary(glossary):walk(first_pass)))
  end
  check_citations(doc.meta)
  if #sources_cited > 0 then
    part(doc, 'References', '', { pandoc.Div({}, pandoc.Attr 'refs') })
  end
  if typst and glossary then part(doc, 'Index', 'word-index',
                                  { raw '#word-index' }) end
end

-- In Typst a page's design can not be set from inside a function.
local MAIN_MATTER = '#pagebreak(weak: true)\n'
  .. '#set page(numbering: "1")\n#counter(page).update(1)'

function Pandoc(doc)
  find_parts()
  boxes.teacher = doc.meta.teacher ~= nil
  local glossary = doc.meta.glossary
    and read_text(stringify(doc.meta.glossary)).blocks
  if glossary then words_of.read_glossary(glossary) end
  doc.blocks = resolve(weave_plain(doc.blocks))
  for path in stringify(doc.meta.front or ''):gmatch '%S+' do
    doc.blocks:extend(read_plain(path))
  end
  if typst then doc.blocks:insert(raw(MAIN_MATTER)) end
  weave_chapters(doc)
  for path in stringify(doc.meta.back or ''):gmatch '%S+' do
    doc.blocks:extend(read_plain(path))
  end
  back_matter(doc, glossary)
  if not typst then doc.meta.chapters = nil end
  report_coverage()
  stop_if_wrong()
  return doc:walk(typst and formula.for_typst or formula.for_mathml)
end
