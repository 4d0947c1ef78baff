-- Tells of an answer what its kind says in JSON: what it holds, its tokens, whether it tells of an error, why the model
-- stopped, and whether a stream came to its end. Nothing is held back, and nothing of the text is kept.
--
-- JSON is walked byte by byte as it comes, so that a member counts where its kind has it and nowhere else, and what is no
-- JSON is known. A walk takes time by the length of a text alone, and keeps no more than where it stands.

local byte, find, match, sub = string.byte, string.find, string.match, string.sub

local DEEPEST = 512
-- Names, and texts that are looked at, are shorter; what is longer is none of them.
local LONGEST = 256
local LONGEST_NUMBER = 24

local MOST_ROWS = 160

local DONE = "[DONE]"
local QUOTE, BLANK = 34, 32
local ESCAPED = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/"}

-- What is looked for ------------------------------------------------------------------------------------------------

local SPECIFICATIONS = {}

-- The place of a path like `choices.*.text`, made where it is not there yet; `*` is each of a list.
local function place(root, path)
  local node = root
  for step in path:gmatch("[^.]+") do
    local places = node
    if step ~= "*" then
      node.members = node.members or {}
      places = node.members
    end
    places[step] = places[step] or {}
    node = places[step]
  end
  return node
end

-- `path`, `name=path` of a number, or `path=text`.
local MARKED = {
  holds = function(node, path) node.holds = path end,
  last = function(node, path) node.last = path end,
  stops = function(node) node.stop = true end,
  refusals = function(node) node.refusal = true end,
  fails = function(node, _, text)
    if not text then node.fails = true return end
    node.texts = node.texts or {}
    node.texts[text] = "error"
  end,
}

local function mark(root, part, words)
  for word in words:gmatch("[^ ]+") do
    local path, text = match(word, "^(.-)=(.*)$")
    path = path or word
    MARKED[part](place(root, path), path, text)
  end
end

local function count(root, words)
  for name, path in words:gmatch("([^ =]+)=([^ ]+)") do place(root, path).count = name end
end

-- `holds: path …;parts: path …;ends: name …;…;plain: count=path …;streamed: …`, taken apart once.
local function specification(text)
  local known = SPECIFICATIONS[text]
  if known then return known end
  local parts = {}
  for part, words in text:gmatch("(%a+): ([^;]*)") do parts[part] = words end
  local plain, streamed = {}, {}
  for _, root in ipairs({plain, streamed}) do
    for _, part in ipairs({"stops", "refusals", "fails"}) do mark(root, part, parts[part]) end
  end
  mark(plain, "holds", parts.holds)
  mark(streamed, "holds", parts.parts)
  mark(streamed, "last", parts.last)
  count(plain, parts.plain)
  count(streamed, parts.streamed)
  known = {plain = plain, streamed = streamed, ends = {error = "error"}}
  local kind = place(streamed, "type")
  kind.texts = kind.texts or {}
  for name in parts.ends:gmatch("[^ ]+") do
    known.ends[name], kind.texts[name] = name, name
  end
  SPECIFICATIONS[text] = known
  return known
end

-- What is found -----------------------------------------------------------------------------------------------------

local function new_findings() return {seen = {}, holds = "", ends = "", counts = {}} end

local function end_by(found, name)
  if name == "error" then
    found.error = true
  elseif not find(found.ends, name, 1, true) then
    found.ends = found.ends .. name .. " "
  end
end

-- Something is there, and not empty.
local function find_filled(found, node)
  local holds = node.holds
  if holds and not found.seen[holds] then
    found.seen[holds] = true
    found.holds = found.holds .. holds .. " "
  end
  if node.fails then found.error = true end
  if node.refusal then found.refused = true end
  if node.last then end_by(found, node.last) end
end

local function find_text(found, node, text)
  if node.count then found.counts[node.count] = '"' .. sub(text, 1, LONGEST_NUMBER) end
  if node.last then end_by(found, node.last) end
  if text == "" then return end
  find_filled(found, node)
  if node.stop and find(text, "^[%w_.-]+$") then found.stop = text end
  local mark = node.texts and node.texts[text]
  if mark then end_by(found, mark) end
end

-- A number or a literal. Of a number that is told several times the last one counts.
local function find_scalar(found, node, text)
  if text == "null" then return end
  if node.count then found.counts[node.count] = sub(text, 1, LONGEST_NUMBER) end
  if text ~= "false" and text ~= "0" then find_filled(found, node) end
end

-- The walk ----------------------------------------------------------------------------------------------------------
--
-- JSON is an automaton: each byte leads from one state to the next, most of them by nothing but a look into a table.
-- Where something happens the table has an action, which is negative. A state is the place of its row.

-- Such an array is read twice as fast as a table.
local NEXT = require("ffi").new("int32_t[?]", MOST_ROWS * 256)
local ACTIONS = {}
local ROWS = 0
local WHITE, DIGITS, HEX, ENDS = " \n\r\t", "0123456789", "0123456789abcdefABCDEF", " \n\r\t,}]"

local BROKEN, OPEN_OBJECT, OPEN_LIST, CLOSE_OBJECT, CLOSE_LIST, SEPARATE = -1, -2, -3, -4, -5, -6
local NAME_BEGINS, NAME_ENDS, VALUE_BEGINS, TEXT_ENDS, SCALAR_ENDS, LITERAL_ENDS = -7, -8, -9, -10, -11, -12
local FIRST_OF_LIST, FIRST_OF_OBJECT = -13, -14

local function row(white)
  ROWS = ROWS + 256
  for letter = 0, 255 do NEXT[ROWS + letter] = BROKEN end
  if white then
    for at = 1, #WHITE do NEXT[ROWS + byte(WHITE, at)] = ROWS end
  end
  return ROWS
end

local function lead(from, letters, to)
  for at = 1, #letters do NEXT[from + byte(letters, at)] = to end
end

-- A text from behind its first quotation mark; `to` is where the last one leads. Escapes are six rows behind it.
local function text_rows(to)
  local text, escape = row(), row()
  local digits = {row(), row(), row(), row()}
  for letter = 32, 255 do NEXT[text + letter] = text end
  lead(text, '"', to)
  lead(text, "\\", escape)
  lead(escape, '"\\/bfnrt', text)
  lead(escape, "u", digits[1])
  for number = 1, 4 do lead(digits[number], HEX, digits[number + 1] or text) end
  return text
end

local function literal_rows(from, word, to)
  for at = 1, #word do
    local behind = at < #word and row() or to
    lead(from, sub(word, at, at), behind)
    from = behind
  end
end

-- A number, from a row that leads into it; `behind` gives each byte that ends one its state.
local function number_rows(from, behind)
  local minus, zero, whole, point, parts, e, sign, power = row(), row(), row(), row(), row(), row(), row(), row()
  for _, begin in ipairs({from, minus}) do
    lead(begin, "0", zero)
    lead(begin, "123456789", whole)
  end
  lead(from, "-", minus)
  lead(whole, DIGITS, whole)
  lead(point, DIGITS, parts)
  lead(parts, DIGITS, parts)
  for _, digits in ipairs({zero, whole, parts}) do lead(digits, "eE", e) end
  for _, digits in ipairs({zero, whole}) do lead(digits, ".", point) end
  lead(e, "+-", sign)
  for _, before in ipairs({e, sign, power}) do lead(before, DIGITS, power) end
  for _, digits in ipairs({zero, whole, parts, power}) do
    for at = 1, #ENDS do NEXT[digits + byte(ENDS, at)] = behind(byte(ENDS, at)) end
  end
end

-- All values: where one may begin, and the text that one may be. What is behind one is `after`, or the action there.
local function value_rows(value, after, text_ends, literal_ends, scalar_ends)
  local text = text_rows(text_ends or after)
  lead(value, '"', text)
  lead(value, "{", OPEN_OBJECT)
  lead(value, "[", OPEN_LIST)
  for _, word in ipairs({"true", "false", "null"}) do literal_rows(value, word, literal_ends or after) end
  number_rows(value, function(letter) return scalar_ends or NEXT[after + letter] end)
  return text
end

local function name_rows(value, name_ends)
  local name, colon = row(true), row(true)
  local text = text_rows(name_ends or colon)
  lead(name, '"', text)
  lead(colon, ":", value)
  return name, colon, text
end

local NOWHERE = row()
for letter = 0, 255 do NEXT[NOWHERE + letter] = NOWHERE end

-- The document as a whole.
local BEGINNING, OVER = row(true), row(true)
lead(BEGINNING, "{", OPEN_OBJECT)
lead(BEGINNING, "[", OPEN_LIST)

-- Lists and objects in which nothing is looked for.
local LIST_VALUE, LIST_AFTER = row(true), row(true)
lead(LIST_AFTER, ",", LIST_VALUE)
lead(LIST_AFTER, "]", CLOSE_LIST)
value_rows(LIST_VALUE, LIST_AFTER)
local LIST_FIRST = row()
for letter = 0, 255 do NEXT[LIST_FIRST + letter] = NEXT[LIST_VALUE + letter] end
lead(LIST_FIRST, WHITE, LIST_FIRST)
lead(LIST_FIRST, "]", CLOSE_LIST)

local OBJECT_VALUE, OBJECT_AFTER = row(true), row(true)
local OBJECT_NAME, _, OBJECT_TEXT = name_rows(OBJECT_VALUE)
lead(OBJECT_AFTER, ",", OBJECT_NAME)
lead(OBJECT_AFTER, "}", CLOSE_OBJECT)
value_rows(OBJECT_VALUE, OBJECT_AFTER)
local OBJECT_FIRST = row(true)
lead(OBJECT_FIRST, '"', OBJECT_TEXT)
lead(OBJECT_FIRST, "}", CLOSE_OBJECT)

-- Values that are not looked at, of lists and objects in which something is.
local VALUE, AFTER = row(true), row(true)
lead(AFTER, ",", SEPARATE)
lead(AFTER, "}", CLOSE_OBJECT)
lead(AFTER, "]", CLOSE_LIST)
local TEXT = value_rows(VALUE, AFTER)
local _, COLON, NAME_TEXT = name_rows(VALUE)
local FIRST_VALUE, FIRST_NAME = row(), row(true)
for letter = 0, 255 do NEXT[FIRST_VALUE + letter] = FIRST_OF_LIST end
lead(FIRST_VALUE, WHITE, FIRST_VALUE)
lead(FIRST_VALUE, "]", CLOSE_LIST)
lead(FIRST_NAME, '"', FIRST_OF_OBJECT)
lead(FIRST_NAME, "}", CLOSE_OBJECT)

-- Names and values that are looked at. All rows from here on are within one.
local WANTED_VALUE, WANTED_BEGIN = row(true), row()
local WANTED_NAME, WANTED_COLON = row(true), row(true)
lead(WANTED_VALUE, '"-0123456789tfn', VALUE_BEGINS)
lead(WANTED_VALUE, "{", OPEN_OBJECT)
lead(WANTED_VALUE, "[", OPEN_LIST)
lead(WANTED_NAME, '"', NAME_BEGINS)
lead(WANTED_COLON, ":", WANTED_VALUE)
local WITHIN = ROWS
local WANTED_NAME_TEXT = text_rows(NAME_ENDS)
local WITHIN_VALUE = ROWS
local WANTED_TEXT = value_rows(WANTED_BEGIN, AFTER, TEXT_ENDS, LITERAL_ENDS, SCALAR_ENDS)
local WITHIN_SCALAR = WANTED_TEXT + 6 * 256

local function unescape(text)
  text = text:gsub("\\u00(%x%x)", function(digits)
    local letter = string.char(tonumber(digits, 16))
    return letter == "\\" and "\\\\" or letter
  end)
  return (text:gsub("\\(.)", ESCAPED))
end

-- Where a list or object was opened, or a value in it has ended.
local function behind(walk)
  local depth = walk.depth
  if depth == 0 then return OVER end
  if walk.nodes[depth] then return AFTER end
  return walk.objects[depth] and OBJECT_AFTER or LIST_AFTER
end

local function open(walk, at, is_object)
  local depth, node = walk.depth + 1, walk.node
  if depth > DEEPEST then return NOWHERE, at end
  walk.depth, walk.nodes[depth], walk.objects[depth], walk.node = depth, node, is_object, false
  if not node then return is_object and OBJECT_FIRST or LIST_FIRST, at + 1 end
  if node.count then walk.found.counts[node.count] = "{" end
  return is_object and FIRST_NAME or FIRST_VALUE, at + 1
end

local function close(walk, at, is_object)
  local depth = walk.depth
  if walk.objects[depth] ~= is_object then return NOWHERE, at end
  walk.depth, walk.node = depth - 1, false
  return behind(walk), at + 1
end

-- The next of a list.
local function next_of(walk)
  walk.node = walk.nodes[walk.depth]["*"] or false
  return walk.node and WANTED_VALUE or VALUE
end

local function take_scalar(walk, text, last)
  find_scalar(walk.found, walk.node, sub(text, walk.token, last))
  walk.node = false
  return AFTER
end

-- A name that is looked at, if it begins right here or behind a blank. What is behind a piece is no quotation mark.
local function begin_name(walk, text, at)
  local begin = byte(text, at) == BLANK and at + 1 or at
  if byte(text, begin) ~= QUOTE then return WANTED_NAME, at end
  walk.token = begin
  return WANTED_NAME_TEXT, begin + 1
end

ACTIONS[-BROKEN] = function(_, _, _, at) return NOWHERE, at end
ACTIONS[-OPEN_OBJECT] = function(walk, _, _, at) return open(walk, at, true) end
ACTIONS[-OPEN_LIST] = function(walk, _, _, at) return open(walk, at, false) end
ACTIONS[-CLOSE_OBJECT] = function(walk, _, _, at) return close(walk, at, true) end
ACTIONS[-CLOSE_LIST] = function(walk, _, _, at) return close(walk, at, false) end

ACTIONS[-SEPARATE] = function(walk, _, text, at)
  if walk.objects[walk.depth] then return begin_name(walk, text, at + 1) end
  return next_of(walk), at + 1
end

ACTIONS[-NAME_BEGINS] = function(walk, _, _, at)
  walk.token = at
  return WANTED_NAME_TEXT, at + 1
end

ACTIONS[-NAME_ENDS] = function(walk, _, text, at)
  local members, name = walk.nodes[walk.depth].members, sub(text, walk.token + 1, at - 1)
  local node = members[name]
  if not node and find(name, "\\", 1, true) then node = members[unescape(name)] end
  walk.node = node or false
  return walk.node and WANTED_COLON or COLON, at + 1
end

ACTIONS[-VALUE_BEGINS] = function(walk, _, text, at)
  walk.token = at
  return NEXT[WANTED_BEGIN + byte(text, at)], at + 1
end

ACTIONS[-TEXT_ENDS] = function(walk, _, text, at)
  find_text(walk.found, walk.node, sub(text, walk.token + 1, at - 1))
  walk.node = false
  return AFTER, at + 1
end

ACTIONS[-LITERAL_ENDS] = function(walk, _, text, at) return take_scalar(walk, text, at), at + 1 end
ACTIONS[-SCALAR_ENDS] = function(walk, _, text, at) return take_scalar(walk, text, at - 1), at end

-- The list or object is not empty; it may be that nothing is looked for in it but that.
ACTIONS[-FIRST_OF_LIST] = function(walk, _, _, at)
  local own = walk.nodes[walk.depth]
  find_filled(walk.found, own)
  if own["*"] then return next_of(walk), at end
  walk.nodes[walk.depth] = false
  return LIST_VALUE, at
end

ACTIONS[-FIRST_OF_OBJECT] = function(walk, _, text, at)
  local own = walk.nodes[walk.depth]
  find_filled(walk.found, own)
  if own.members then return begin_name(walk, text, at) end
  walk.nodes[walk.depth] = false
  return OBJECT_TEXT, at + 1
end

local function new_walk(root, found)
  return {root = root, found = found, state = BEGINNING, depth = 0, node = root, nodes = {}, objects = {}, carry = ""}
end

local function begin_again(walk) walk.state, walk.depth, walk.node, walk.carry = BEGINNING, 0, walk.root, "" end

local function is_over(walk) return walk.state == OVER end

local function has_begun(walk) return walk.state ~= BEGINNING end

-- What is looked at goes on in the next piece: it is kept where it is short, else passed over.
local function cut(walk, state, text, last)
  local is_name = state <= WITHIN_VALUE
  if last - walk.token < LONGEST then
    walk.carry = sub(text, walk.token, last)
    return is_name and WANTED_NAME or WANTED_VALUE
  end
  if is_name then
    walk.node = false
    return state - WANTED_NAME_TEXT + NAME_TEXT
  end
  find_filled(walk.found, walk.node)
  walk.node = false
  return state < WITHIN_SCALAR and state - WANTED_TEXT + TEXT or NOWHERE
end

-- Goes on from `at` to `last`, through what may be any part of a document.
local function go(walk, text, at, last)
  if walk.carry ~= "" then
    text = walk.carry .. sub(text, at, last)
    at, last, walk.carry = 1, #text, ""
  end
  local state = walk.state
  while at <= last do
    local to = NEXT[state + byte(text, at)]
    if to > 0 then
      state, at = to, at + 1
    else
      state, at = ACTIONS[-to](walk, state, text, at)
    end
  end
  walk.state = state > WITHIN and cut(walk, state, text, last) or state
end

-- Streams -----------------------------------------------------------------------------------------------------------

local function facts_of(found, whole)
  local facts = found.counts
  facts.whole, facts.error = whole, found.error
  facts.holds, facts.ends = found.holds, found.ends
  facts.stop = found.refused and "refusal" or found.stop
  return facts
end

local function tell(handle, facts)
  handle:streamInfo():dynamicMetadata():set("sluice", "answer", facts)
end

-- An event is over: what it held is a whole document, or nothing.
local function end_event(stream)
  local walk = stream.walk
  if has_begun(walk) then
    if not is_over(walk) then stream.broken = true end
    begin_again(walk)
  end
end

-- A line that has ended, or the beginning of one of data: `at` to `last`.
local function take_line(stream, text, at, last)
  if last < at then return end_event(stream) end
  local letter = byte(text, at)
  if letter == 100 and sub(text, at, at + 4) == "data:" then
    local from = byte(text, at + 5) == 32 and at + 6 or at + 5
    if byte(text, from) == 91 and sub(text, from, from + 5) == DONE and not has_begun(stream.walk) then
      stream.done = true
    else
      -- Lines of one event are lines of one document.
      if has_begun(stream.walk) then go(stream.walk, "\n", 1, 1) end
      go(stream.walk, text, from, last)
    end
  elseif letter == 101 then
    local name = match(sub(text, at, last), "^event: ?(.*)$")
    -- As older servers of llama.cpp tell of one.
    if find(text, "^error:", at) then name = "error" end
    local mark = name and stream.ends[name]
    if mark then end_by(stream.found, mark) end
  end
end

-- Where a line goes on behind this piece: data is walked already, the rest is kept.
local function take_beginning(stream, text, at)
  local last = #text
  if sub(text, at, at + 4) == "data:" and last - at > LONGEST then
    take_line(stream, text, at, last)
    stream.in_data = true
  elseif last - at <= LONGEST then
    stream.line = sub(text, at)
  else
    stream.skips = true
  end
end

-- Carriage returns end lines too.
local function lines_of(stream, text)
  if stream.returned and byte(text, 1) == 10 then text = sub(text, 2) end
  stream.returned = byte(text, #text) == 13
  if not find(text, "\r", 1, true) then return text end
  return (text:gsub("\r\n", "\n"):gsub("\r", "\n"))
end

local function take_piece(stream, text)
  local at = 1
  if stream.in_data or stream.skips then
    local stop = find(text, "\n", 1, true)
    if stream.in_data then go(stream.walk, text, 1, stop and stop - 1 or #text) end
    if not stop then return end
    stream.in_data, stream.skips, at = false, false, stop + 1
  elseif stream.line ~= "" then
    text, stream.line = stream.line .. text, ""
  end
  while at <= #text and not stream.done do
    local stop = find(text, "\n", at, true)
    if not stop then return take_beginning(stream, text, at) end
    take_line(stream, text, at, stop - 1)
    at = stop + 1
  end
end

local function read_stream(handle, wanted)
  local found = new_findings()
  local stream = {found = found, ends = wanted.ends, walk = new_walk(wanted.streamed, found), line = ""}
  local told, first = false, true
  for chunk in handle:bodyChunks() do
    local length = chunk:length()
    if length > 0 and not stream.done then
      local text = chunk:getBytes(0, length)
      if first then text, first = text:gsub("^\239\187\191", ""), false end
      take_piece(stream, lines_of(stream, text))
      if found.error and not told then
        -- A client that reads of an error may leave before the end.
        tell(handle, {error = true})
        told = true
      end
    end
  end
  if not stream.done then take_piece(stream, "\n\n") end
  if stream.done then end_by(found, DONE) end
  return facts_of(found, not stream.broken)
end

-- Plain answers -----------------------------------------------------------------------------------------------------

-- `length` is that of the JSON, where something else comes behind it.
local function read_plain(handle, wanted, length)
  local found = new_findings()
  local walk, left = new_walk(wanted.plain, found), length or math.huge
  local first = true
  for chunk in handle:bodyChunks() do
    local size = math.min(chunk:length(), left)
    if size > 0 then
      local text = chunk:getBytes(0, size)
      if first then text, first = text:gsub("^\239\187\191", ""), false end
      go(walk, text, 1, #text)
      left = left - size
    end
  end
  return facts_of(found, is_over(walk))
end

function envoy_on_response(handle)
  local headers = handle:headers()
  if sub(headers:get(":status"), 1, 1) ~= "2" then return end
  local encoding = headers:get("content-encoding")
  if encoding and encoding:lower() ~= "identity" then return end
  local kind = (headers:get("content-type") or "json"):lower()
  local read, length = read_plain, nil
  if find(kind, "text/event-stream", 1, true) then
    read = read_stream
  elseif not find(kind, "json", 1, true) then
    -- Tensors of the Open Inference Protocol may stand in bytes behind the JSON.
    length = tonumber(headers:get("inference-header-content-length"))
    if not length then return end
  end
  local wanted = specification(handle:filterContext():get("answers"))
  tell(handle, read(handle, wanted, length))
end
