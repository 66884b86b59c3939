-- sources.lua: what the book quotes from files, and what it leaves out.
--
-- A region of a source lies between two marker lines of its own:
--
--     // @begin size-mul
--     ...
--     // @end size-mul          (# in Python and make, -- in Lua)
--
-- Regions may nest. Nothing here stops the build: every problem is noted,
-- and the filter ends with the whole list.

local M = { max_columns = 78, problems = {} }

local files = {}     -- path -> { lines, regions } or false
local shown = {}     -- path -> set of line numbers that the book shows

function M.problem(...)
  M.problems[#M.problems + 1] = string.format(...)
end

function M.exists(path)
  local f = io.open(path, 'r')
  if f then f:close() end
  return f ~= nil
end

-- "begin", "size-mul" for a marker line; nil for every other line.
local function marker(line)
  for _, leader in ipairs { '//+', '#+', '%-%-+', '/%*+' } do
    local verb, name =
      line:match('^%s*' .. leader .. '%s*@(%a+)%s+([%w_%-]+)%s*%*?/?%s*$')
    if verb == 'begin' or verb == 'end' then return verb, name end
  end
end

-- Note where each region of the file begins and ends.
local function find_regions(path, lines)
  local regions, open = {}, {}
  for n, line in ipairs(lines) do
    local verb, name = marker(line)
    if verb == 'begin' then
      if regions[name] then
        M.problem('%s:%d: region %s begins twice (first in line %d)', path, n,
                  name, regions[name].first - 1)
      else
        regions[name] = { first = n + 1 }
      end
      open[#open + 1] = name
    elseif verb == 'end' then
      if open[#open] ~= name then
        M.problem('%s:%d: "@end %s" where "@end %s" was expected', path, n,
                  name, open[#open] or '(nothing)')
      else
        regions[name].last = regions[name].last or n - 1
        open[#open] = nil
      end
    end
  end
  for _, name in ipairs(open) do
    M.problem('%s: region %s is never closed', path, name)
  end
  return regions
end

local function read_file(path)
  if files[path] ~= nil then return files[path] end
  local f = io.open(path, 'r')
  local text = f and f:read 'a'      -- nil for a folder
  if f then f:close() end
  if not text then
    files[path] = false
    return false
  end
  local lines = {}
  for line in (text:gsub('\n$', '') .. '\n'):gmatch '(.-)\r?\n' do
    lines[#lines + 1] = line
  end
  files[path] = { lines = lines, regions = find_regions(path, lines) }
  return files[path]
end

local function dedent(lines)
  local least = math.huge
  for _, line in ipairs(lines) do
    if line:find '%S' then least = math.min(least, #line:match '^ *') end
  end
  for i, line in ipairs(lines) do lines[i] = line:sub(least + 1) end
end

-- A line has to fit the page, and to hold nothing that a page cannot show.
function M.check_line(where, line)
  local width = utf8.len(line)
  if not width then
    M.problem('%s: not UTF-8', where)
  elseif width > M.max_columns then
    M.problem('%s: %d columns, the page holds %d', where, width,
              M.max_columns)
  elseif line:find '[%z\1-\8\11-\31\127]' then
    M.problem('%s: a control character; transcripts are made without colour',
              where)
  elseif line:find '\t' then
    M.problem('%s: a tab, which has no fixed width on a page', where)
  end
end

local function trim(lines, numbers)
  while lines[1] and not lines[1]:find '%S' do
    table.remove(lines, 1)
    table.remove(numbers, 1)
  end
  while lines[1] and not lines[#lines]:find '%S' do
    table.remove(lines)
    table.remove(numbers)
  end
end

-- The lines of a region (of the whole file without a name), dedented and
-- without markers, and the number each has in the file; nil on a problem.
function M.quote(path, name)
  local file = read_file(path)
  if not file then
    M.problem('%s: no such file', path)
    return nil
  end
  local span = { first = 1, last = #file.lines }
  if name then
    span = file.regions[name]
    if not span then M.problem('%s: no region named %s', path, name) end
    if not span or not span.last then return nil end
  end
  local lines, numbers = {}, {}
  for n = span.first, span.last do
    if not marker(file.lines[n]) then
      lines[#lines + 1], numbers[#numbers + 1] = file.lines[n], n
    end
  end
  trim(lines, numbers)
  if #lines == 0 then
    M.problem('%s: %s is empty', path, name and 'region ' .. name or 'file')
    return nil
  end
  dedent(lines)
  shown[path] = shown[path] or {}
  for i, n in ipairs(numbers) do
    M.check_line(path .. ':' .. n, lines[i])
    shown[path][n] = true
  end
  return lines, numbers
end

------------------------------------------------------------------ coverage

local function listed(folder, pattern)
  local ok, names = pcall(pandoc.system.list_directory, folder)
  local paths = {}
  for _, name in ipairs(ok and names or {}) do
    if name:match(pattern) then paths[#paths + 1] = folder .. '/' .. name end
  end
  table.sort(paths)
  return paths
end

-- Every file of which each line ought to stand somewhere in the book: not
-- the tables, which nobody reads, and not common/kernels/.
local function quotable()
  local paths = {}
  for _, path in ipairs(listed('common', '%.[ch]$')) do
    if not path:match '_data%.c$' then paths[#paths + 1] = path end
  end
  for _, folder in ipairs(listed('chapters', '^%d%d%-')) do
    for _, path in ipairs(listed(folder, '%.[ch]$')) do
      paths[#paths + 1] = path
    end
  end
  return paths
end

-- The files of modules and of a chapter's program, in the order of reading.
function M.files_of(modules, folder)
  local paths = {}
  for _, module in ipairs(modules) do
    for _, path in ipairs { 'common/' .. module .. '.h',
                            'common/' .. module .. '.c' } do
      if M.exists(path) and not path:match '_data%.c$' then
        paths[#paths + 1] = path
      end
    end
  end
  for _, path in ipairs(folder and listed(folder, '%.[ch]$') or {}) do
    paths[#paths + 1] = path
  end
  return paths
end

-- { path, total, missing = { numbers } }: blank lines and markers not counted,
-- nor the lines of regions that are tables, if any are named.
function M.left_out(path, tables)
  local entry = { path = path, total = 0, missing = {}, in_tables = 0 }
  local file = read_file(path)
  local is_table = {}
  for name in pairs(file and tables or {}) do
    local span = file.regions[name]
    for n = span and span.first or 1, span and span.last or 0 do
      is_table[n] = not marker(file.lines[n]) or nil
    end
  end
  for n, line in ipairs(file and file.lines or {}) do
    local is_shown = shown[path] and shown[path][n]
    if is_table[n] then
      entry.in_tables = entry.in_tables + 1
      entry.unseen = entry.unseen or not is_shown
    elseif line:find '%S' and not marker(line) then
      entry.total = entry.total + 1
      if not is_shown then
        entry.unseen = true
        entry.missing[#entry.missing + 1] = n
      end
    end
  end
  return entry
end

-- A list of those entries, for everything that could be shown.
function M.coverage()
  local report = {}
  for _, path in ipairs(quotable()) do report[#report + 1] = M.left_out(path) end
  return report
end

-- The lines that no chapter shows, as pieces { lines, numbers }; two pieces
-- are apart where a line between them is shown somewhere.
function M.rest(path)
  local file, pieces, piece = read_file(path), {}, nil
  for n, line in ipairs(file.lines) do
    if shown[path] and shown[path][n] and line:find '%S' then
      piece = nil
    elseif not marker(line) and (piece or line:find '%S') then
      piece = piece or { lines = {}, numbers = {} }
      if #piece.lines == 0 then pieces[#pieces + 1] = piece end
      piece.lines[#piece.lines + 1] = line
      piece.numbers[#piece.numbers + 1] = n
      M.check_line(path .. ':' .. n, line)
    end
  end
  for _, one in ipairs(pieces) do trim(one.lines, one.numbers) end
  return pieces
end

-- { 3, 4, 5, 9 } becomes "3-5 9".
function M.ranges(numbers)
  local out, i = {}, 1
  while i <= #numbers do
    local j = i
    while numbers[j + 1] == numbers[j] + 1 do j = j + 1 end
    out[#out + 1] = i == j and tostring(numbers[i])
      or numbers[i] .. '-' .. numbers[j]
    i = j + 1
  end
  return table.concat(out, ' ')
end

return M
