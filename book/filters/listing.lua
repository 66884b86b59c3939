-- listing.lua: fills the code blocks of a chapter, and refuses the others.
-- What it needs from the weaving stands in `book`.

return function(book)

local MAX_LISTING = 35      -- lines; a reader holds no more in one look

local sources, wrong, quoted = book.sources, book.wrong, book.quoted

-- "lines 12-20", or where a nested marker leaves a gap "lines 12-20 22-30".
local function line_text(numbers)
  local text = sources.ranges(numbers):gsub('(%d)%-(%d)', '%1\u{2013}%2')
    :gsub(' ', ', ')
  return (#numbers == 1 and 'line ' or 'lines ') .. text
end

local function listing_caption(block, id)
  local caption = pandoc.Inlines {}
  if id ~= '' then
    local number = book.next_number 'lst'
    book.define(id, number)
    caption:extend(book.caption_head('lst', number))
  end
  if block.attributes.caption then
    caption:extend(book.markdown_inlines(block.attributes.caption))
  end
  return caption
end

-- "a", "b", as the inside of a Typst array.
local function array(items)
  return table.concat(items, ',') .. (#items == 1 and ',' or '')
end

-- Functions that begin in this piece of C, for the index: a name before a
-- parenthesis in a line that starts in the first column and is no prototype.
-- Those of one file alone are left to its reader.
local function defined_functions(path, text)
  local names = {}
  if not path:match '%.c$' then return names end
  for line in text:gmatch '[^\n]+' do
    local name = line:match '^[%a_][%w_%s%*]-([%w_]+)%('
    if name and not line:find '[=;]' and not line:match '^static' then
      names[#names + 1] = name
    end
  end
  return names
end

local function typst_listing(kind, language, where, numbers, text, caption,
                             id, whole)
  local path, marks = where:match '^[^,]*', {}
  if kind == 'source' or kind == 'rest' then
    for _, name in ipairs(defined_functions(path, text)) do
      marks[#marks + 1] = quoted(name)
    end
  end
  local call = string.format('#listing(kind: %s, lang: %s, where: %s, '
    .. 'numbers: (%s), marks: (%s), whole: %s, %s)[', quoted(kind),
    quoted(language), quoted(where), array(numbers), array(marks),
    whole and 'true' or 'false', quoted(text))
  local close = ']' .. (id ~= '' and ' <' .. id .. '>' or '')
  if #caption == 0 then return pandoc.Blocks { book.raw(call .. close) } end
  return pandoc.Blocks { book.raw(call), pandoc.Plain(caption),
                         book.raw(close) }
end

local function html_listing(kind, language, where, text, caption, id)
  local head = pandoc.Inlines(caption)
  if where ~= '' then
    if #head > 0 then head:insert(pandoc.Space()) end
    head:insert(pandoc.Span({ pandoc.Str(where) }, { class = 'where' }))
  end
  local blocks = pandoc.Blocks {}
  if #head > 0 then
    blocks:insert(pandoc.Div({ pandoc.Plain(head) },
                             { class = 'listing-head' }))
  end
  blocks:insert(pandoc.CodeBlock(text,
                                 pandoc.Attr('', { language, 'woven' })))
  return pandoc.Div(blocks, pandoc.Attr(id, { 'listing', kind }))
end

-- The text of a listing, the numbers of its lines, and what stands above.
local function fill(block, kind)
  local path, region = block.attributes.file, block.attributes.region
  if block.text ~= '' then
    wrong('the listing of %s must be empty, and begins "%s"', path,
          book.first_line(block.text))
    return nil
  end
  local lines, numbers = sources.quote(path, region)
  if not lines then return nil end
  if #lines > MAX_LISTING then
    wrong('%s%s has %d lines, a listing at most %d', path,
          region and ', ' .. region .. ',' or '', #lines, MAX_LISTING)
  end
  local where = path
  if kind == 'source' then where = path .. ', ' .. line_text(numbers) end
  return table.concat(lines, '\n'), numbers, where
end

local function sketch(block)
  local n = 0
  for line in (block.text .. '\n'):gmatch '(.-)\n' do
    n = n + 1
    sources.check_line(string.format('%s: sketch "%s", line %d',
      book.file(), book.first_line(block.text), n), line)
  end
  if n > MAX_LISTING then
    wrong('the sketch "%s" has %d lines, a listing at most %d',
          book.first_line(block.text), n, MAX_LISTING)
  end
  return block.text, {}, 'sketch'
end

-- Note where a piece of a file is shown first, so that the appendix can say
-- so: the listing's own id, or one made for it.
local function shown_at(path, numbers, id)
  local places = book.places
  places[path] = places[path] or {}
  for _, place in ipairs(places[path]) do
    if place.numbers[1] == numbers[1] then return id end
  end
  if id == '' then
    id = 'at-' .. path:gsub('[^%w]', '-') .. '-' .. numbers[1]
  end
  table.insert(places[path], { id = id, numbers = numbers })
  return id
end

-- One listing as blocks of the document.
local function set(kind, language, where, numbers, text, caption, id, whole)
  if book.typst then
    return typst_listing(kind, language, where, numbers, text, caption, id,
                         whole)
  end
  return pandoc.Blocks { html_listing(kind, language, where, text, caption,
                                      id) }
end

local function listing(block)
  -- Inside a box the walk comes by a second time.
  if block.classes:includes 'woven' then return nil end
  local kind = block.classes:includes 'transcript' and 'transcript'
    or block.classes:includes 'sketch' and 'sketch' or 'source'
  local text, numbers, where
  if kind == 'sketch' then
    text, numbers, where = sketch(block)
  elseif block.attributes.file then
    text, numbers, where = fill(block, kind)
  else
    wrong('the code block "%s" names no file and is not marked .sketch',
          book.first_line(block.text))
  end
  if not text then return {}, false end
  local language = block.classes:find_if(function(c)
    return c ~= 'transcript' and c ~= 'sketch' end) or 'text'
  local id = block.identifier
  local caption = listing_caption(block, id)
  if kind ~= 'source' then numbers = {} end
  if kind == 'source' then
    id = shown_at(block.attributes.file, numbers, id)
  end
  return set(kind, language, where, numbers, text, caption, id,
             block.attributes.whole), false
end

-- Lines of a file that no chapter shows, for the appendix.
local function rest(path, piece)
  local first, last = piece.numbers[1], piece.numbers[#piece.numbers]
  return set('rest', path:match '%.[ch]$' and 'c' or 'text',
             string.format(first == last and '%s, line %d'
                           or '%s, lines %d\u{2013}%d', path, first, last),
             piece.numbers,
             table.concat(piece.lines, '\n'), pandoc.Inlines {}, '')
end

return { block = listing, rest = rest, line_text = line_text, set = set }

end
