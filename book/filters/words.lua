-- words.lua: what the text says with words: terms and the glossary, the
-- index, and numbers that stand bare.

return function(book)

local M = { defined = {}, bare = 0 }
local terms = {}            -- a term in small letters -> id and spelling
local wrong, typst = book.wrong, book.typst
local quoted, raw_inline = book.quoted, book.raw_inline
local stringify = pandoc.utils.stringify

------------------------------------------------------------- the glossary

local function slug(text)
  return 'gl-' .. text:lower():gsub('[^%w]+', '-')
end

-- The definition list of book/glossary.md says which terms there are.
function M.read_glossary(blocks)
  local last = ''
  blocks:walk { DefinitionList = function(list)
    for _, item in ipairs(list.content) do
      local text = stringify(item[1])
      if text:lower() < last then
        wrong('the glossary is not in order: "%s" after "%s"', text, last)
      end
      last = text:lower()
      if terms[text:lower()] then
        wrong('the glossary has "%s" twice', text)
      end
      terms[text:lower()] = { id = slug(text), spelling = text }
    end
  end }
end

-- "tensors" and "Tensor" are "tensor"; a run-in heading, which ends with a
-- full stop or begins with a capital, is no term unless the glossary has it.
local function find_term(text)
  local low = text:lower()
  for _, form in ipairs { low, (low:gsub('s$', '')), (low:gsub('es$', '')),
                          (low:gsub('ies$', 'y')) } do
    if terms[form] then return terms[form] end
  end
end

local function index_call(term, main)
  return string.format('#index-mark(%s, main: %s)', quoted(term),
                       main and 'true' or 'false')
end

-- A bold word of a chapter is the definition of a term: it leads to the
-- glossary, which leads back, and stands in the index.
function M.term(strong, chapter)
  local text = stringify(strong)
  if text == '' or text:find '[.?!:]$' then return nil end
  local found = find_term(text)
  if not found then
    if chapter.finished and text:match '^%l' then
      wrong('the bold term "%s" is not in book/glossary.md', text)
    end
    return nil
  end
  local id = found.id
  local first = not M.defined[id]
  if first then
    M.defined[id] = { finished = chapter.finished, file = chapter.file }
  elseif chapter.finished and M.defined[id].finished then
    wrong('the term "%s" is bold a second time (first in %s)', text,
          M.defined[id].file)
  end
  local out = pandoc.Inlines {
    pandoc.Link({ strong }, '#' .. id, '', { class = 'ref term' }) }
  if first and typst then
    out:insert(1, raw_inline(string.format(
      '#metadata(none)<def-%s>%s', id, index_call(found.spelling, true))))
  elseif first then
    out = pandoc.Inlines { pandoc.Span(out, pandoc.Attr('def-' .. id)) }
  end
  return out
end

-- The glossary itself: each term gets its id, and the page of its chapter.
function M.glossary(blocks)
  return blocks:walk { DefinitionList = function(list)
    local out = pandoc.Blocks {}
    for _, item in ipairs(list.content) do
      local id = slug(stringify(item[1]))
      local body = pandoc.utils.blocks_to_inlines(item[2][1])
      local line = pandoc.Inlines { pandoc.Strong(item[1]), pandoc.Space() }
      line:extend(body)
      if M.defined[id] then
        line:extend { pandoc.Space(), typst
          and raw_inline('#page-of(<def-' .. id .. '>)')
          or pandoc.Link('Where it is defined', '#def-' .. id, '',
                         { class = 'ref' }) }
      end
      if typst then
        out:extend { book.raw '#glossary-entry[', pandoc.Plain(line),
                     book.raw('] <' .. id .. '>') }
      else
        out:insert(pandoc.Div({ pandoc.Para(line) }, pandoc.Attr(id)))
      end
    end
    return out
  end }
end

---------------------------------------------------------------- the index

-- [word]{.index}, or [the words]{.index term="tensor, shape of"}.
function M.index_span(span)
  if not span.classes:includes 'index' then return nil end
  local term = span.attributes.term or stringify(span)
  if term == '' then wrong('an index mark without a word') end
  if not typst then return span.content end
  local out = pandoc.Inlines { raw_inline(index_call(term, false)) }
  out:extend(span.content)
  return out
end

------------------------------------------------------------- bare numbers

local function digits_in(text)
  local found = text:match '^%p*([%d][%d,.]*)%p*$'
    or text:match '^%p*(%d[%d,.]*)\u{2013}'
  if not found then return 0 end
  return select(2, found:gsub('%d', ''))
end

-- Numbers of three digits or more come from a file by name, or the text says
-- that they are given: [131,072]{.given}. Those of an exercise are given.
function M.bare_numbers(blocks, finished)
  local skip = function(element) return element, false end
  blocks:walk {
    traverse = 'topdown',
    Span = function(span)
      if span.classes:includes 'value' or span.classes:includes 'given' then
        return span, false
      end
    end,
    Div = function(div)
      if div.classes:includes 'exercise' then return div, false end
    end,
    Link = skip, Cite = skip, Image = skip,
    Str = function(str)
      if digits_in(str.text) < 3 then return end
      M.bare = M.bare + 1
      if finished then
        wrong('the bare number %s: name its value, or mark it .given',
              str.text)
      end
    end,
  }
end

return M

end
