#!lua flags=no-writes
-- The cards of the models that a worker serves, or soon will: any but those that gave up.
local cards, known = {'ok'}, {}
for _, worker in ipairs(worker_states()) do
  if worker.state ~= 'down' and not known[worker.model] then
    known[worker.model] = true
    cards[#cards + 1] = redis.call('GET', KEY.CARD .. worker.model) or nil
  end
end
return cards
