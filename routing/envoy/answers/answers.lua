-- Tells of an answer what its kind says in JSON: tokens, whether it is an answer at all, why the model stopped, and
-- whether a stream came to its end. Nothing is held back, and nothing of the text is kept.
--
-- JSON is searched as text. That is exact: inside a JSON string every quotation mark has a backslash before it, so that
-- a name between two bare ones is found only where it is a name, or a whole string, of the JSON itself.

local find, match, sub = string.find, string.match, string.sub

-- More of a plain answer is not looked at: its beginning and its end are.
local WHOLE = 1024 * 1024
local PART = 64 * 1024
-- A stream's tokens are told in its first event and its last ones.
local EDGE = 2 * 1024
-- The longest name that is looked for, with what stands around it, may lie across two pieces of a stream.
local OVERLAP = 64
local LONGEST_NUMBER = 24

-- Searching is as fast as the first letter of what is searched for is rare in text; quotation marks are in no JSON.
local RARE_FIRST = "_zqxjkv.bypgfwmucldrhsnioate"

local SPECIFICATIONS = {}

-- A name cut before its rarest letter: what is searched for, and what must stand before it.
local function cut(name)
  local best, place = math.huge, 1
  for at = 1, #name do
    local rank = find(RARE_FIRST, sub(name, at, at), 1, true) or math.huge
    if rank < best then best, place = rank, at end
  end
  return {name = name, before = '"' .. sub(name, 1, place - 1), from = sub(name, place) .. '"'}
end

-- Names that share what is searched for are found in one search.
local function group(names)
  local groups, places = {}, {}
  for _, each in ipairs(names) do
    local place = places[each.from]
    if not place then
      place = #groups + 1
      places[each.from], groups[place] = place, {from = each.from}
    end
    groups[place][#groups[place] + 1] = each
  end
  return groups
end

local function names(text)
  local found = {}
  for word in text:gmatch("[^ ]+") do
    local tells, name = match(word, "(.-)=(.*)")
    local each = cut(name or word)
    each.tells = tells
    found[#found + 1] = each
  end
  return found
end

-- `holds: a b;ends: c;stops: d;plain: count=member …;streamed: …`, taken apart once.
local function specification(text)
  local known = SPECIFICATIONS[text]
  if known then return known end
  known = {}
  for part, words in text:gmatch("(%a+): ([^;]*)") do known[part] = names(words) end
  known.stops = group(known.stops)
  known.plain, known.streamed = group(known.plain), group(known.streamed)
  SPECIFICATIONS[text] = known
  return known
end

-- The places before and behind a name between quotation marks; nil where there is none from a place on.
local function locate(text, name, at)
  local start, stop = find(text, name.from, at, true)
  while start do
    if sub(text, start - #name.before, start - 1) == name.before then return start - #name.before, stop + 1 end
    start, stop = find(text, name.from, stop, true)
  end
end

-- Calls `visit` with each of the names that is a member, and the place of its value.
local function each_member(text, named, visit)
  local start, stop = find(text, named.from, 1, true)
  while start do
    for _, name in ipairs(named) do
      if sub(text, start - #name.before, start - 1) == name.before then
        local value = match(text, "^%s*:%s*()", stop + 1)
        if value then visit(name, value) end
      end
    end
    start, stop = find(text, named.from, stop, true)
  end
end

-- Whether a value begins here that is there: not null, not false, no empty list or object.
local function is_filled(text, at)
  return not find(text, "^null", at) and not find(text, "^false", at) and not find(text, "^[%[{]%s*[%]}]", at)
end

local function holds(text, members)
  for _, name in ipairs(members) do
    local _, behind = locate(text, name, 1)
    local value = behind and match(text, "^%s*:%s*()", behind)
    if value and is_filled(text, value) then return name.name end
  end
end

-- Of a number that is told several times the last one counts.
local function tell_counts(facts, text, groups)
  for _, named in ipairs(groups) do
    each_member(text, named, function(name, value)
      local number = match(text, "^[^%s,}%]]+", value)
      if number and number ~= "null" then facts[name.tells] = sub(number, 1, LONGEST_NUMBER) end
    end)
  end
end

local REFUSAL = group(names("refusal"))[1]

local function tell_stop(facts, text, groups)
  for _, named in ipairs(groups) do
    each_member(text, named, function(_, value)
      facts.stop = match(text, '^"([%w_.-]+)"', value) or facts.stop
    end)
  end
  each_member(text, REFUSAL, function(_, value)
    if find(text, '^"[^"]', value) then facts.stop = "refusal" end
  end)
end

local ERROR = cut("error")

-- Whether a name stands here as an error's: before an object or a text, or as what an object calls itself.
local function is_error(text, start, behind)
  local before = sub(text, math.max(1, start - OVERLAP), start - 1)
  return find(text, '^%s*:%s*[{"]', behind) or find(before, '"object"%s*:%s*$') or find(before, '"type"%s*:%s*$')
end

-- An error that is a part of a choice is about that part, and there is a choice.
local function is_in_choice(text, start)
  local line = match(sub(text, 1, start), "[^\n]*$") .. match(text, "^[^\n]*", start + 1)
  return find(line, '"choices"%s*:%s*%[%s*{') ~= nil
end

local function has_error(text)
  local start, behind = locate(text, ERROR, 1)
  while start do
    if is_error(text, start, behind) and not is_in_choice(text, start) then return true end
    start, behind = locate(text, ERROR, behind)
  end
  local event = find(text, "vent:", 1, true)
  while event do
    if find(text, "^ ?error", event + 5) and find(sub(text, event - 2, event - 1), "^\n?e$") then return true end
    event = find(text, "vent:", event + 5, true)
  end
  return false
end

-- A mark is the name of an event, or a member that is filled.
local function has_mark(text, mark)
  local start, behind = locate(text, mark, 1)
  while start do
    local value = match(text, "^%s*:%s*()", behind)
    if not value or is_filled(text, value) then return true end
    start, behind = locate(text, mark, behind)
  end
  return false
end

local function tell(handle, facts)
  handle:streamInfo():dynamicMetadata():set("sluice", "answer", facts)
end

local function read_stream(handle, wanted)
  local facts, ended, head, tail, whole = {}, {}, "", "", 0
  for chunk in handle:bodyChunks() do
    local length = chunk:length()
    if length > 0 then
      local text = chunk:getBytes(0, length)
      local searched = sub(tail, -OVERLAP) .. text
      if not facts.error and has_error(searched) then
        facts.error = true
        -- A client that reads of an error may leave before the end.
        tell(handle, facts)
      end
      for _, mark in ipairs(wanted.ends) do
        if not ended[mark.name] and has_mark(searched, mark) then ended[mark.name] = true end
      end
      if whole < EDGE then head = sub(head .. text, 1, EDGE) end
      tail = length >= EDGE and sub(text, -EDGE) or sub(tail .. text, -EDGE)
      whole = whole + length
    end
  end
  if find(sub(tail, -OVERLAP), "%[DONE%]%s*$") then ended["[DONE]"] = true end
  local marks = {}
  for mark in pairs(ended) do marks[#marks + 1] = mark end
  facts.ends = table.concat(marks, " ")
  if whole > EDGE then tell_counts(facts, head, wanted.streamed) end
  tell_counts(facts, tail, wanted.streamed)
  tell_stop(facts, tail, wanted.stops)
  return facts
end

local function read_plain(handle, wanted)
  local pieces, length, tail = {}, 0, ""
  for chunk in handle:bodyChunks() do
    local size = chunk:length()
    local text = size > 0 and chunk:getBytes(0, size) or ""
    if length + size <= WHOLE then
      pieces[#pieces + 1] = text
    else
      tail = sub(tail .. text, -PART)
    end
    length = length + size
  end
  local text = table.concat(pieces) .. tail
  local facts = {holds = holds(text, wanted.holds)}
  facts.whole = find(text, "^%s*[{%[]") ~= nil and find(sub(text, -OVERLAP), "[}%]]%s*$") ~= nil
  facts.error = not facts.holds and has_error(text)
  tell_counts(facts, text, wanted.plain)
  tell_stop(facts, text, wanted.stops)
  return facts
end

function envoy_on_response(handle)
  local headers = handle:headers()
  if sub(headers:get(":status"), 1, 1) ~= "2" then return end
  local encoding = headers:get("content-encoding")
  if encoding and encoding ~= "identity" then return end
  local kind = (headers:get("content-type") or "json"):lower()
  local read = find(kind, "text/event-stream", 1, true) and read_stream or find(kind, "json", 1, true) and read_plain
  if not read then return end
  local wanted = specification(handle:filterContext():get("answers"))
  tell(handle, read(handle, wanted))
end
