-- Answers of which the protocol says nothing: all that is looked for are documents of an error and nothing else.

function envoy_on_response(handle)
  if not is_read() then return end
  local kind = handle:headers():get("content-type") or "json"
  if not find(kind:lower(), "json", 1, true) then return end
  local found = read_answer(handle)
  if found and found.error and found.holds == "" then begin_to_read_all() end
end
