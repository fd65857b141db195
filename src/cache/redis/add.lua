-- Puts ARGV[2] for ARGV[3] ms, unless something of the epoch ARGV[1] stands: 1 then.
local stands = redis.call('GET', KEYS[1])
if stands and string.sub(stands, 1, #ARGV[1]) == ARGV[1] then return 1 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 0
