-- formula.lua: what Pandoc's own translation of TeX formulas gets wrong.

local M = {}

-- Typst: an \operatorname has to become an op(), or it is spaced like a
-- word; \! comes out as a whole em backwards; the columns of cases touch.
local function typst_math(math)
  local tex = math.text:gsub('\\!', '')
  -- A comma between thousands is part of the number, not of a list.
  tex = tex:gsub('(%d){,}(%d)', '%1\\text{,}%2'):gsub('(%d){,}(%d)',
    '%1\\text{,}%2')
  tex = tex:gsub('\\begin{cases}.-\\end{cases}', function(cases)
    return (cases:gsub('&', '& \\quad '))
  end)
  local operators = {}
  for name in tex:gmatch '\\operatorname%*?{([%a%d]+)}' do
    operators[name] = true
  end
  local text = pandoc.write(
    pandoc.Pandoc { pandoc.Plain { pandoc.Math(math.mathtype, tex) } },
    'typst', pandoc.WriterOptions { wrap_text = 'none' })
  text = text:gsub(' ?upright%(","%) ?', '","')
  text = text:gsub('%s+$', ''):gsub('"([%a%d]+)"', function(word)
    return operators[word] and 'op("' .. word .. '")' or nil
  end)
  return pandoc.RawInline('typst', text)
end

-- MathML: no space between \cos and the letter that follows it.
local spaced = { cos = true, sin = true, tan = true, exp = true, log = true,
                 ln = true }
local function mathml(math)
  math.text = math.text:gsub('\\(%a+) *(%f[%a\\])', function(name)
    return spaced[name] and '\\' .. name .. '\\,' or nil
  end)
  return math
end

M.for_typst = { Math = typst_math }
M.for_mathml = { Math = mathml }

return M
