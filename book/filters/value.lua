-- value.lua: numbers of the prose, taken by name from JSON files.

return function(wrong)

local function grouped(integer)
  local text = string.format('%d', integer)
  local sign, digits = text:match '^(%-?)(%d+)$'
  digits = digits:reverse():gsub('(%d%d%d)', '%1,'):reverse():gsub('^,', '')
  return sign .. digits
end

local function json_value(path, key)
  local file = io.open(path, 'r')
  if not file then return nil, 'no such file' end
  local ok, value = pcall(pandoc.json.decode, file:read 'a', false)
  file:close()
  if not ok or value == nil then return nil, 'not JSON' end
  for step in key:gmatch '[^.]+' do
    if type(value) ~= 'table' then value = nil end
    if value ~= nil then
      value = value[step] or value[(tonumber(step) or -1) + 1]
    end
    if value == nil then return nil, 'no key ' .. key end
  end
  return value
end

-- []{.value file="..." key="a.b" format="%.2f"}
local function value_span(span)
  if not span.classes:includes 'value' then return nil end
  local path, key = span.attributes.file or '', span.attributes.key or ''
  local value, why = json_value(path, key)
  if value == nil or type(value) == 'table' then
    wrong('value %s of %s: %s', key, path, why or 'not one value')
    return pandoc.Str '??'
  end
  if span.attributes.format then
    local ok, text = pcall(string.format, span.attributes.format, value)
    if not ok then wrong('value %s: format %s', key, text) end
    return pandoc.Str(text)
  end
  if math.type(value) == 'float' and value == math.floor(value)
     and math.abs(value) < 2^53 then
    value = math.tointeger(value)
  end
  return pandoc.Str(math.type(value) == 'integer' and grouped(value)
                    or tostring(value))
end

return value_span

end
