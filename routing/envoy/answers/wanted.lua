-- Tells of an answer what its kind says in JSON: what it holds, its tokens, whether it tells of an error, why the model
-- stopped, and whether a stream came to its end. Nothing is held back, and nothing of the text is kept.
--
-- JSON is walked byte by byte as it comes, so that a member counts where its kind has it and nowhere else, and what is no
-- JSON is known. A walk takes time by the length of a text alone, and keeps no more than where it stands.

local byte, find, match, sub = string.byte, string.find, string.match, string.sub
local concat, remove = table.concat, table.remove
local band, bor, bxor, lshift, rshift, tobit = bit.band, bit.bor, bit.bxor, bit.lshift, bit.rshift, bit.tobit
local clear, ffi = require("table.clear"), require("ffi")

local LETTERS, FOURS = ffi.typeof("const uint8_t *"), ffi.typeof("const int32_t *")

local DEEPEST = 512
-- Names, and texts that are looked at, are shorter; what is longer is none of them.
local LONGEST = 256
local LONGEST_NUMBER = 24

local MOST_ROWS = 288

local DONE = "[DONE]"
-- Why a model stopped, where that is no word.
local OTHER = "other"
-- No number of four bytes is as large.
local INFINITE = 1e100
local BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" ..
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
local QUOTE, BLANK, BACKSLASH = 34, 32, 92
local ESCAPED = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/"}

-- Codes of what nobody sees: white space and controls by Unicode, what it has a display leave out
-- (Default_Ignorable_Code_Point), the blank of Braille, halves of a pair alone, and what stands for a letter that is none.
local FIRST_OF_SEVERAL, FIRST_OF_LETTER = 128, 192
local BLANK_CODES = {}
for _, span in ipairs({
  {0, 32}, {0x7f, 0xa0}, {0xad, 0xad}, {0x34f, 0x34f}, {0x61c, 0x61c}, {0x115f, 0x1160}, {0x1680, 0x1680},
  {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f}, {0x2800, 0x2800},
  {0x3000, 0x3000}, {0x3164, 0x3164}, {0xd800, 0xdfff}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
  {0xfff0, 0xfff8}, {0xfffd, 0xfffd}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
}) do
  for code = span[1], span[2] do BLANK_CODES[code] = true end
end

-- What is looked for ------------------------------------------------------------------------------------------------

local SPECIFICATIONS = {}

-- The place of a path like `choices.*.text`, made where it is not there yet; `*` is each of a list, `?` each member of an
-- object that no path names.
local function place(root, path)
  local node = root
  for step, behind in path:gmatch("([^.]+)()") do
    local places = node
    if step ~= "*" then node.members = node.members or {} end
    if step ~= "*" and step ~= "?" then places = node.members end
    places[step] = places[step] or {path = sub(path, 1, behind - 1)}
    node = places[step]
  end
  return node
end

-- What something is of that has to be there: `path` of a text, `path[]` of a list or an object that is not empty,
-- `path[*]` of anything but null, `path[+]` of a vector, these two also within lists, however deep, `path[number]` of a
-- number alone, and `path[code]` of a number or a word that is the code of no success.
local HOLDING = {
  [""] = function(node, path) node.holds = path end,
  ["[]"] = function(node, path) node.list, node.object = path, path end,
  ["[*]"] = function(node, path) node.holds, node.object, node.any, node["*"] = path, path, path, node end,
  ["[+]"] = function(node, path) node.vector, node["*"] = path, node end,
  ["[number]"] = function(node, path) node.number = path end,
  ["[code]"] = function(node, path) node.code = path end,
}

-- `name=path` of a number, `path=text` of a text or a literal.
local MARKED = {
  holds = function(node, path, text)
    if not text then return HOLDING[match(path, "%[.*%]$") or ""](node, path) end
    node.held = node.held or {}
    node.held[text] = path .. "=" .. text
  end,
  -- Members that are no others.
  known = function(node) node.known = true end,
  own = function(node, path) node.own = path .. "?" end,
  every = function(node, path) node.every = path .. "!" end,
  last = function(node, path) node.last = path end,
  stops = function(node) node.stop = true end,
  refusals = function(node) node.refusal = true end,
  arguments = function(node) node.arguments = "whole" end,
  pieces = function(node) node.arguments = "pieces" end,
  several = function(node) node.several = true end,
  aloud = function(node) node.aloud = "whole" end,
  spoken = function(node) node.aloud = "pieces" end,
  fails = function(node, _, text)
    if not text then node.fails = true return end
    node.texts = node.texts or {}
    node.texts[text] = "error"
  end,
  voids = function(node, _, text)
    node.voids = node.voids or {}
    node.voids[text] = true
  end,
}

local function mark(root, part, words)
  for word in words:gmatch("[^ ]+") do
    local path, text = match(word, "^(.-)=(.*)$")
    path = path or word
    MARKED[part](place(root, (path:gsub("%[.*%]$", ""))), path, text)
  end
end

local function count(root, words)
  for name, path in words:gmatch("([^ =]+)=([^ ]+)") do place(root, path).count = name end
end

-- The forms of events, each the names of members of which an event has one: a bit of each that a name is of.
local function mark_forms(root, words)
  local forms = {}
  for form in words:gmatch("[^ ]+") do
    forms[#forms + 1] = form
    for name in form:gmatch("[^|]+") do
      local node = place(root, name)
      node.form = bor(node.form or 0, lshift(1, #forms))
    end
  end
  return forms
end

-- Members of an object that may hold something have a bit each: those of the first 32, of more than any kind has.
local function number_names(node)
  local is_held = node.holds or node.list or node.any or node.vector or node.number or node.code or node.held
  local bits = 0
  for _, member in pairs(node.members or {}) do
    if number_names(member) then
      member.name, bits = bits < 32 and lshift(1, bits) or nil, bits + 1
      is_held = true
    end
  end
  for _, step in ipairs({"*", "?"}) do
    if node[step] and node[step] ~= node then is_held = number_names(node[step]) or is_held end
  end
  node.may_hold = is_held
  return is_held
end
-- What one kind names is for another one of the members that nobody named.
local function mark_others(root)
  local others = root["?"]
  for _, node in pairs(others and root.members or {}) do
    if not (node.known or node.own or node.fails) and node.may_hold then node.other = others.holds end
  end
end

local IN_BOTH = {"stops", "refusals", "fails", "voids", "known", "own", "arguments", "pieces", "several"}

-- `holds: path …;parts: path …;ends: name …;…;plain: count=path …;streamed: …`, taken apart once.
local function specification(text)
  local known = SPECIFICATIONS[text]
  if known then return known end
  local parts = {}
  for part, words in text:gmatch("(%a+): ([^;]*)") do parts[part] = words end
  local plain, streamed = {}, {}
  for _, root in ipairs({plain, streamed}) do
    for _, part in ipairs(IN_BOTH) do mark(root, part, parts[part]) end
  end
  mark(plain, "every", parts.every)
  mark(plain, "tensors", parts.tensors)
  mark(plain, "aloud", parts.aloud)
  mark(streamed, "spoken", parts.aloud)
  mark(plain, "holds", parts.holds)
  mark(streamed, "holds", parts.parts)
  mark(streamed, "last", parts.last)
  count(plain, parts.plain)
  count(streamed, parts.streamed)
  known = {plain = plain, streamed = streamed, ends = {error = "error"}}
  known.tensors, known.has_texts = parts.tensors, parts.texts ~= ""
  known.forms = mark_forms(streamed, parts.forms)
  number_names(plain)
  number_names(streamed)
  mark_others(plain)
  mark_others(streamed)
  local kind = place(streamed, "type")
  kind.texts = kind.texts or {}
  for name in parts.ends:gmatch("[^ ]+") do
    known.ends[name], kind.texts[name] = name, name
  end
  SPECIFICATIONS[text] = known
  return known
end

