-- Tells of an answer what its kind says in JSON: what it holds, its tokens, whether it tells of an error, why the model
-- stopped, and whether a stream came to its end. Nothing is held back, and nothing of the text is kept.
--
-- JSON is walked byte by byte as it comes, so that a member counts where its kind has it and nowhere else, and what is no
-- JSON is known. A walk takes time by the length of a text alone, and keeps no more than where it stands.

local byte, find, match, sub = string.byte, string.find, string.match, string.sub
local concat, remove = table.concat, table.remove
local band, bor, bxor, rshift, tobit = bit.band, bit.bor, bit.bxor, bit.rshift, bit.tobit
local clear, ffi = require("table.clear"), require("ffi")

local LETTERS, FOURS = ffi.typeof("const uint8_t *"), ffi.typeof("const int32_t *")

local DEEPEST = 512
-- Names, and texts that are looked at, are shorter; what is longer is none of them.
local LONGEST = 256
local LONGEST_NUMBER = 24

local MOST_ROWS = 256

local DONE = "[DONE]"
-- Why a model stopped, where that is no word.
local OTHER = "other"
local QUOTE, BLANK, BACKSLASH = 34, 32, 92
local ESCAPED = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/"}

-- What nobody sees: white space by Unicode, what it has a display leave out (Default_Ignorable_Code_Point), and the blank
-- of Braille, as codes and as patterns of their bytes in UTF-8.
local FIRST_OF_SEVERAL = 128
local BLANK_CODES, BLANKS = {}, {
  "^\194[\133\160\173]()", "^\205\143()", "^\216\156()", "^\225\133[\159\160]()", "^\225\154\128()",
  "^\225\158[\180\181]()", "^\225\160[\139-\143]()", "^\226\128[\128-\143\168-\175]()", "^\226\129[\159-\175]()",
  "^\226\160\128()", "^\227\128\128()", "^\227\133\164()", "^\239\184[\128-\143]()", "^\239\187\191()",
  "^\239\190\160()", "^\239\191[\176-\184]()", "^\240\157\133[\179-\186]()", "^\243\160[\128-\191][\128-\191]()",
}
for _, span in ipairs({
  {0, 32}, {0x85, 0x85}, {0xa0, 0xa0}, {0xad, 0xad}, {0x34f, 0x34f}, {0x61c, 0x61c}, {0x115f, 0x1160}, {0x1680, 0x1680},
  {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f}, {0x2800, 0x2800},
  {0x3000, 0x3000}, {0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfff8},
}) do
  for code = span[1], span[2] do BLANK_CODES[code] = true end
end

-- What is looked for ------------------------------------------------------------------------------------------------

local SPECIFICATIONS = {}

-- The place of a path like `choices.*.text`, made where it is not there yet; `*` is each of a list, `?` each member of an
-- object that no path names.
local function place(root, path)
  local node = root
  for step in path:gmatch("[^.]+") do
    local places = node
    if step ~= "*" then node.members = node.members or {} end
    if step ~= "*" and step ~= "?" then places = node.members end
    places[step] = places[step] or {}
    node = places[step]
  end
  return node
end

-- What something is of that has to be there: `path` of a text, a number or `true`, `path[]` of a list or an object that is
-- not empty, `path[*]` of anything but null, `path[+]` of a vector, these two also within lists, however deep, and
-- `path[number]` of a number alone.
local HOLDING = {
  [""] = function(node, path) node.holds = path end,
  ["[]"] = function(node, path) node.list, node.object = path, path end,
  ["[*]"] = function(node, path) node.holds, node.object, node.any, node["*"] = path, path, path, node end,
  ["[+]"] = function(node, path) node.vector, node["*"] = path, node end,
  ["[number]"] = function(node, path) node.number = path end,
}

-- `name=path` of a number, `path=text` of a text.
local MARKED = {
  holds = function(node, path, text)
    if not text then return HOLDING[match(path, "%[.*%]$") or ""](node, path) end
    node.held = node.held or {}
    node.held[text] = path .. "=" .. text
  end,
  -- Members that are no others.
  known = function() end,
  own = function(node, path) node.own = path .. "?" end,
  every = function(node) node.every = true end,
  last = function(node, path) node.last = path end,
  stops = function(node) node.stop = true end,
  refusals = function(node) node.refusal = true end,
  fails = function(node, _, text)
    if not text then node.fails = true return end
    node.texts = node.texts or {}
    node.texts[text] = "error"
  end,
  voids = function(node, _, text, object)
    node.voids = node.voids or {}
    node.voids[text], object.may_be_void = true, true
  end,
}

local function mark(root, part, words)
  for word in words:gmatch("[^ ]+") do
    local path, text = match(word, "^(.-)=(.*)$")
    path = path or word
    local object = place(root, match(path, "^(.*)%.") or "")
    MARKED[part](place(root, (path:gsub("%[.*%]$", ""))), path, text, object)
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
    for _, part in ipairs({"stops", "refusals", "fails", "voids", "known", "own"}) do mark(root, part, parts[part]) end
  end
  mark(plain, "every", parts.every)
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

-- What was seen in an earlier turn is not seen.
local function begin_findings(found)
  found.turn, found.holds, found.ends = found.turn + 1, "", ""
  found.error, found.refused, found.stop, found.hollow = nil, nil, nil, nil
  clear(found.counts)
end

local function end_by(found, name)
  if name == "error" then
    found.error = true
  elseif not find(found.ends, name, 1, true) then
    found.ends = found.ends .. name .. " "
  end
end

local function hold(found, holds)
  if holds and found.seen[holds] ~= found.turn then
    found.seen[holds] = found.turn
    found.holds = found.holds .. holds .. " "
  end
end

-- What an object has that holds nothing as a whole is taken back: all from where `before` ends.
local function forget(found, before)
  for path in sub(found.holds, #before + 1):gmatch("[^ ]+") do found.seen[path] = nil end
  found.holds = before
end

-- What one of several holds, each of which has to hold something, is found anew; what was found before is returned.
local function begin_item(found)
  local before = found.holds
  forget(found, "")
  return before
end

local function end_item(found, before)
  if found.holds == "" then found.hollow = true end
  for path in before:gmatch("[^ ]+") do hold(found, path) end
end

-- Whether nothing more is to be learnt of the rest of a list.
local function is_known(found, node)
  local path = node.vector or node.any
  return path and found.seen[path] == found.turn
end

-- Something is there, and not empty; `holds` is the path of what has it.
local function find_filled(found, node, holds)
  hold(found, holds)
  if node.fails then found.error = true end
  if node.refusal then found.refused = true end
  if node.last then end_by(found, node.last) end
end

-- The first letter from `at` on that is no blank, `last` + 1 where all are; escapes count as the letters they stand for.
local function behind_blanks(text, at, last)
  while at <= last do
    local letter, behind = byte(text, at), nil
    if letter == BLANK then
      behind = at + 1
    elseif letter == BACKSLASH then
      behind = match(text, "^\\[bfnrt]()", at)
      local code, after = match(text, "^\\u(%x%x%x%x)()", at)
      if code and BLANK_CODES[tonumber(code, 16)] then behind = after end
    elseif letter >= FIRST_OF_SEVERAL then
      for _, blank in ipairs(BLANKS) do behind = behind or match(text, blank, at) end
    end
    if not behind then return at end
    at = behind
  end
  return at
end

-- Whether a text is base64 that begins with a number; of four bytes these are none, or infinite.
local NO_NUMBER = "^AA[DC]A[f/_][w-z0-9+/_-]"
local function is_numbers(text, from, last)
  local other = find(text, "[^%w+/_=\\-]", from)
  return not find(text, NO_NUMBER, from) and not (other and other <= last)
end

-- The first letter that is something: of a vector in base64 all but those of which zeros are made.
local function behind_nothing(node, text, at, last)
  if node.vector then return math.min(match(text, "^[A=]*()", at), last + 1) end
  return behind_blanks(text, at, last)
end

-- What holds a text, if that has any letter that is something; most that are asked about begin with one.
local function holder_of(found, node, text, from, last)
  local holds = node.holds or node.vector
  if not holds or found.seen[holds] == found.turn then return holds end
  if node.vector and not is_numbers(text, from, last) then return nil end
  return behind_nothing(node, text, from, last) <= last and holds or nil
end

-- `from` to `last`, which is taken out of its answer only where somebody asks what it is.
local function find_text(found, node, text, from, last)
  -- A text is no number, whatever it says.
  if node.count then found.counts[node.count] = '"' end
  if node.last then end_by(found, node.last) end
  if last < from then return end
  find_filled(found, node, holder_of(found, node, text, from, last))
  if not (node.stop or node.texts or node.held) then return end
  local word = sub(text, from, last)
  if node.held then hold(found, node.held[word]) end
  if node.stop then found.stop = find(word, "^[%w_.-]+$") and word or OTHER end
  local mark = node.texts and node.texts[word]
  if mark then end_by(found, mark) end
end

-- A number or a literal. Of a number that is told several times the last one counts.
local function find_scalar(found, node, text)
  if text == "null" then return end
  if node.count then found.counts[node.count] = sub(text, 1, LONGEST_NUMBER) end
  if node.number and find(text, "^[-%d]") then hold(found, node.number) end
  if node.vector then
    if find(text, "^%-?[0.]*[1-9]") then hold(found, node.vector) end
  elseif text == "0" or node.any then
    -- A score may be none; no error is an error of number none.
    hold(found, node.holds)
  elseif text ~= "false" then
    find_filled(found, node, node.holds)
  end
end
