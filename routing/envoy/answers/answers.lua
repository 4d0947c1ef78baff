-- Tells of an answer what its kind says in JSON: what it holds, its tokens, whether it tells of an error, why the model
-- stopped, and whether a stream came to its end. Nothing is held back, and nothing of the text is kept.
--
-- JSON is walked byte by byte as it comes, so that a member counts where its kind has it and nowhere else, and what is no
-- JSON is known. A walk costs the same whatever the text says, and keeps no more than where it stands.

local byte, find, match, sub = string.byte, string.find, string.match, string.sub

local DEEPEST = 512
-- Names, and texts that are looked at, are shorter; what is longer is none of them.
local LONGEST = 256
local LONGEST_NUMBER = 24

-- Where a walk stands: before a value, before the first of a list, behind a value, before a name, before the first of an
-- object, before a colon, within a text or name that is not looked at, and where there is no way on.
local VALUE, FIRST_VALUE, BEHIND, NAME, FIRST_NAME, COLON, IN_TEXT, IN_NAME, NOWHERE = 1, 2, 3, 4, 5, 6, 7, 8, 9

local QUOTE, BACKSLASH, COMMA = 34, 92, 44
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

local function new_findings() return {holds = {}, ends = {}, counts = {}} end

local function end_by(found, name)
  if name == "error" then found.error = true else found.ends[name] = true end
end

-- Something is there, and not empty.
local function find_filled(found, node)
  if node.holds then found.holds[node.holds] = true end
  if node.fails then found.error = true end
  if node.refusal then found.refused = true end
  if node.last then found.ends[node.last] = true end
end

-- A text, with its quotation marks.
local function find_text(found, node, text)
  if node.count then found.counts[node.count] = sub(text, 1, LONGEST_NUMBER) end
  if node.last then found.ends[node.last] = true end
  if text == '""' then return end
  find_filled(found, node)
  local inner = sub(text, 2, -2)
  if node.stop and find(inner, "^[%w_.-]+$") then found.stop = inner end
  if node.texts and node.texts[inner] then end_by(found, node.texts[inner]) end
end

-- A number or a literal. Of a number that is told several times the last one counts.
local function find_scalar(found, node, text)
  if text == "null" then return end
  if node.count then found.counts[node.count] = sub(text, 1, LONGEST_NUMBER) end
  if text ~= "false" and text ~= "0" then find_filled(found, node) end
end

-- The walk ----------------------------------------------------------------------------------------------------------

local function new_walk(root, found)
  return {root = root, found = found, state = VALUE, depth = 0, node = root, nodes = {}, objects = {}, carry = ""}
end

local function begin_again(walk) walk.state, walk.depth, walk.node, walk.carry = VALUE, 0, walk.root, "" end

local function is_over(walk) return walk.state == BEHIND and walk.depth == 0 end

local function has_begun(walk) return walk.state ~= VALUE or walk.depth > 0 or walk.carry ~= "" end

-- The length of an escape; 0 where it goes on behind `last`, -1 where it is none.
local function escape_length(text, at, last)
  if at == last then return 0 end
  local letter = sub(text, at + 1, at + 1)
  if letter == "u" then
    if at + 5 > last then return find(sub(text, at + 2, last), "^%x*$") and 0 or -1 end
    return find(text, "^%x%x%x%x", at + 2) and 6 or -1
  end
  return ESCAPED[letter] and 2 or -1
end

-- The place behind the end of a text; 0 and where to go on where it does not end, -1 where it is broken.
local function behind_text(text, at, last)
  while at <= last do
    local letter = byte(text, at)
    if letter == QUOTE then return at + 1 end
    if letter == BACKSLASH then
      local length = escape_length(text, at, last)
      if length <= 0 then return length, at end
      at = at + length
    elseif letter < 32 then
      return -1, at
    else
      at = at + 1
    end
  end
  return 0, at
end

local function unescape(text)
  if not find(text, "\\", 1, true) then return text end
  text = text:gsub("\\u00(%x%x)", function(digits)
    local letter = string.char(tonumber(digits, 16))
    return letter == "\\" and "\\\\" or letter
  end)
  return (text:gsub("\\(.)", ESCAPED))
end

local function is_digit(letter) return letter and letter >= 48 and letter <= 57 end

local function behind_digits(text, at, last)
  while at <= last and is_digit(byte(text, at)) do at = at + 1 end
  return at
end

-- The place behind a number, or nil where it is none.
local function behind_number(text, at, last)
  if byte(text, at) == 45 then at = at + 1 end
  local behind = byte(text, at) == 48 and at + 1 or behind_digits(text, at, last)
  if behind == at then return nil end
  at = behind
  if byte(text, at) == 46 then
    behind = behind_digits(text, at + 1, last)
    if behind == at + 1 then return nil end
    at = behind
  end
  local letter = byte(text, at)
  if letter == 101 or letter == 69 then
    local sign = byte(text, at + 1)
    local digits = (sign == 43 or sign == 45) and at + 2 or at + 1
    behind = behind_digits(text, digits, last)
    if behind == digits then return nil end
    at = behind
  end
  return at
end

local function behind_literal(text, at)
  return match(text, "^true()", at) or match(text, "^null()", at) or match(text, "^false()", at)
end

-- The first of a list or object comes: it is not empty.
local function fill(walk)
  local own = walk.nodes[walk.depth]
  if own then find_filled(walk.found, own) end
end

local function take_name(walk, text, at, behind)
  local own = walk.nodes[walk.depth]
  walk.node = own and own.members and own.members[unescape(sub(text, at + 1, behind - 2))] or false
end

-- A text or name that does not end in this piece: kept where it may be looked at, else passed over.
local function cut_text(walk, text, at, last, from, is_name, wanted)
  if at == last or (wanted and last - at < LONGEST) then
    walk.carry = sub(text, at, last)
    return last + 1
  end
  if walk.state == FIRST_NAME or walk.state == FIRST_VALUE then fill(walk) end
  if is_name then walk.node = false elseif walk.node then find_filled(walk.found, walk.node) end
  walk.carry = sub(text, from, last)
  walk.state = is_name and IN_NAME or IN_TEXT
  return last + 1
end

local function take_text(walk, text, at, last)
  local state, own = walk.state, walk.nodes[walk.depth]
  local is_name = state == NAME or state == FIRST_NAME
  if not is_name and state ~= VALUE and state ~= FIRST_VALUE then return nil end
  local behind, from = behind_text(text, at + 1, last)
  if behind < 0 then return nil end
  if behind == 0 then return cut_text(walk, text, at, last, from, is_name, is_name and own or walk.node) end
  if state == FIRST_NAME or state == FIRST_VALUE then fill(walk) end
  if is_name then
    if own then take_name(walk, text, at, behind) end
    walk.state = COLON
  else
    if walk.node then find_text(walk.found, walk.node, sub(text, at, behind - 1)) end
    walk.state = BEHIND
  end
  return behind
end

local function go_on_in_text(walk, text, at, last)
  local behind, from = behind_text(text, at, last)
  if behind < 0 then return nil end
  if behind == 0 then
    walk.carry = sub(text, from, last)
    return last + 1
  end
  walk.state = walk.state == IN_NAME and COLON or BEHIND
  return behind
end

local function take_scalar(walk, text, at, last)
  local state = walk.state
  if state ~= VALUE and state ~= FIRST_VALUE then return nil end
  local letter = byte(text, at)
  local behind = (letter == 45 or is_digit(letter)) and behind_number(text, at, last) or behind_literal(text, at)
  if not behind or behind > last then
    -- It may go on in the next piece.
    if last - at >= LONGEST or not find(text, "^[%w.+-]+$", at) then return nil end
    walk.carry = sub(text, at, last)
    return last + 1
  end
  if state == FIRST_VALUE then fill(walk) end
  if walk.node then find_scalar(walk.found, walk.node, sub(text, at, behind - 1)) end
  walk.state = BEHIND
  return behind
end

local function open(walk, is_object)
  local state, depth = walk.state, walk.depth + 1
  if (state ~= VALUE and state ~= FIRST_VALUE) or depth > DEEPEST then return false end
  if state == FIRST_VALUE then fill(walk) end
  local node = walk.node
  if node and node.count then walk.found.counts[node.count] = "{" end
  walk.depth, walk.nodes[depth], walk.objects[depth] = depth, node, is_object
  walk.state = is_object and FIRST_NAME or FIRST_VALUE
  walk.node = not is_object and node and node["*"] or false
  return true
end

local function close(walk, is_object)
  local state, depth = walk.state, walk.depth
  if depth == 0 or walk.objects[depth] ~= is_object then return false end
  if state ~= BEHIND and state ~= (is_object and FIRST_NAME or FIRST_VALUE) then return false end
  walk.depth, walk.state = depth - 1, BEHIND
  return true
end

local function separate(walk)
  local depth = walk.depth
  if walk.state ~= BEHIND or depth == 0 then return false end
  if walk.objects[depth] then
    walk.state = NAME
  else
    local own = walk.nodes[depth]
    walk.state, walk.node = VALUE, own and own["*"] or false
  end
  return true
end

local function take_mark(walk, letter)
  if letter == 58 then
    if walk.state ~= COLON then return false end
    walk.state = VALUE
    return true
  end
  if letter == COMMA then return separate(walk) end
  if letter == 123 or letter == 91 then return open(walk, letter == 123) end
  return close(walk, letter == 125)
end

local function is_mark(letter)
  return letter == COMMA or letter == 58 or letter == 123 or letter == 125 or letter == 91 or letter == 93
end

-- Goes on from `at` to `last`, through what may be any part of a document.
local function go(walk, text, at, last)
  if walk.carry ~= "" then
    text = walk.carry .. sub(text, at, last)
    at, last, walk.carry = 1, #text, ""
  elseif last < #text and walk.state ~= NOWHERE then
    text = sub(text, at, last)
    at, last = 1, #text
  end
  while at and at <= last do
    local letter = byte(text, at)
    if walk.state >= IN_TEXT then
      at = walk.state ~= NOWHERE and go_on_in_text(walk, text, at, last) or nil
    elseif letter == QUOTE then
      at = take_text(walk, text, at, last)
    elseif letter == 32 or letter == 10 or letter == 13 or letter == 9 then
      at = at + 1
    elseif is_mark(letter) then
      at = take_mark(walk, letter) and at + 1 or nil
    else
      at = take_scalar(walk, text, at, last)
    end
  end
  if not at then walk.state = NOWHERE end
end

-- Streams -----------------------------------------------------------------------------------------------------------

local function words_of(set)
  local words = {}
  for word in pairs(set) do words[#words + 1] = word end
  table.sort(words)
  return table.concat(words, " ")
end

local function facts_of(found, whole)
  local facts = found.counts
  facts.whole, facts.error = whole, found.error
  facts.holds, facts.ends = words_of(found.holds), words_of(found.ends)
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
    if find(text, "^ ?%[DONE%]", at + 5) and not has_begun(stream.walk) then
      stream.done = true
    else
      -- Lines of one event are lines of one document.
      if has_begun(stream.walk) then go(stream.walk, "\n", 1, 1) end
      go(stream.walk, text, at + 5, last)
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
  if stream.done then found.ends["[DONE]"] = true end
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
