-- Tensors -----------------------------------------------------------------------------------------------------------
--
-- An output of the Open Inference Protocol has as many elements as its shape says, in its data, in bytes behind the JSON
-- or in memory that the client shares. Numbers are counted by the commas between them, however they are nested.

local OPENED, NOTED, begin_tensor, is_whole_tensor, count_data
do

local SIZES = {
  BOOL = 1, UINT8 = 1, INT8 = 1, UINT16 = 2, INT16 = 2, FP16 = 2, BF16 = 2, UINT32 = 4, INT32 = 4, FP32 = 4,
  UINT64 = 8, INT64 = 8, FP64 = 8,
}
-- Before each text of a tensor of texts stands how long it is.
local LEAST_OF_TEXT = 4
local COMMA = 44

OPENED = {
  shape = function(walk) walk.found.extent = 1 end,
  data = function(walk, at)
    if walk.data_depth then return end
    walk.data_depth, walk.data_at, walk.found.commas = walk.depth, at + 1, 0
  end,
}

NOTED = {
  extent = function(found, text) found.extent = found.extent and found.extent * (tonumber(text) or 0) end,
  datatype = function(found, text) found.datatype = text end,
  size = function(found, text)
    found.size = tonumber(text) or 0
    found.behind = found.behind + found.size
  end,
  shared = function(found) found.is_shared = true end,
}

MARKED.tensors = function(node, path)
  node.every, node.tensor = path .. "!", true
  place(node, "shape").opened, place(node, "data").opened = "shape", "data"
  place(node, "shape.*").noted, place(node, "datatype").noted = "extent", "datatype"
  place(node, "parameters.binary_data_size").noted = "size"
  place(node, "parameters.shared_memory_region").noted = "shared"
end

function begin_tensor(found)
  found.extent, found.datatype, found.size, found.is_shared, found.commas = nil, nil, nil, nil, nil
end

function is_whole_tensor(found)
  local extent, each = found.extent, SIZES[found.datatype]
  if not extent then return false end
  if extent == 0 then return true end
  if found.holds == "" then return false end
  if found.is_shared then return true end
  if found.size then return each and found.size == extent * each or not each and found.size >= extent * LEAST_OF_TEXT end
  return not each or found.commas == extent - 1
end

local function commas_in(text, at, last)
  local letters, count = ffi.cast(LETTERS, text), 0
  for place_of = at - 1, last - 1 do count = count + rshift(bxor(letters[place_of], COMMA) - 1, 31) end
  return count
end

-- What of the data is in this piece of a document.
function count_data(walk, text, last)
  walk.found.commas = walk.found.commas + commas_in(text, walk.data_at, last)
end

end
