-- What wrk sends in `learn bench`: the requests of a file, one after the other, over and over.
-- LEARN_REQUESTS names the file; each request is whole, as it travels, and ends with a NUL.
-- LEARN_STATUS is the status that every answer should have. The last line printed is the result.
local file = assert(io.open(os.getenv("LEARN_REQUESTS"), "rb"))
local expected = tonumber(os.getenv("LEARN_STATUS"))
local requests, number = {}, 0
for one in file:read("*a"):gmatch("(%Z+)%z") do
  requests[#requests + 1] = one
end
file:close()
unexpected = 0 -- global: wrk hands globals of a thread to done()

local threads = {}
function setup(thread)
  threads[#threads + 1] = thread
end

function request()
  number = number + 1
  return requests[(number - 1) % #requests + 1]
end

function response(status)
  if status ~= expected then
    unexpected = unexpected + 1
  end
end

function done(summary, latency)
  local errors = summary.errors
  local wrong = errors.connect + errors.read + errors.write + errors.timeout
  for _, thread in ipairs(threads) do
    wrong = wrong + thread:get("unexpected")
  end
  print(string.format('{"requests": %d, "seconds": %f, "median": %f, "p99": %f, "errors": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, wrong))
end
