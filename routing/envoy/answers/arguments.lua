-- Arguments of calls ------------------------------------------------------------------------------------------------
--
-- What a function is called with is JSON within a text, or within several that come one behind the other. A client can
-- call nothing with what was cut off, nor with what is no text.

local ANYTHING = {}

-- Goes on with a text, or a part of one; behind a whole document another call may begin.
function read_arguments(found, text, from, last)
  local piece = unescape(sub(text, from, last))
  local walk = found.arguments or new_walk(ANYTHING)
  found.arguments = walk
  if is_over(walk) and find(piece, "%S") then begin_again(walk) end
  go(walk, piece, 1, #piece)
end

-- Whether what came so far is the beginning of a document, or none.
local function is_cut(found)
  local walk = found.arguments
  return found.cut or (walk and has_begun(walk) and not is_over(walk) and not found.several) or false
end

-- The text is over, and what comes next is another.
function end_arguments(found)
  found.cut = is_cut(found)
  if found.arguments then begin_again(found.arguments) end
end
