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

local function typst_listing(kind, language, where, numbers, text, caption,
                             id)
  local list = table.concat(numbers, ',') .. (#numbers == 1 and ',' or '')
  local call = string.format(
    '#listing(kind: %s, lang: %s, where: %s, numbers: (%s), %s)[',
    quoted(kind), quoted(language), quoted(where), list, quoted(text))
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
  blocks:insert(pandoc.CodeBlock(text, pandoc.Attr('', { language })))
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

local function listing(block)
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
  if book.typst then
    if kind ~= 'source' then numbers = {} end
    return typst_listing(kind, language, where, numbers, text, caption, id),
      false
  end
  return html_listing(kind, language, where, text, caption, id), false
end

return listing

end
