-- Merges the fence ARGV[1] into the one that stands, for ARGV[2] ms: sdi_fence_merge in Lua. What stands begins with the
-- epoch it is of; one of another epoch than ARGV[3] is deleted. Numbers are compared as strings: all have a fixed width,
-- and Lua's own are too short for them.
local ZEROS = string.rep('0', 16)
local SHAPE = 'F ' .. ZEROS .. ' 00000000 ' .. string.rep(ZEROS .. ' ', 4)

-- The running xids from xmin to before xmax in order, at most 64, nil if damaged.
local function list(text, xmin, xmax)
  if text == '-' then return {} end
  local xids, shape = {}, string.gsub(text, '[1-9a-f]', '0') .. ','
  if #shape > 64 * 17 or shape ~= string.rep(ZEROS .. ',', math.floor(#shape / 17)) then return nil end
  for xid in string.gmatch(text, '%x+') do
    if xid < (xids[#xids] or xmin) or xid >= xmax then return nil end
    xids[#xids + 1] = xid
  end
  return xids
end

local function decode(record)
  if string.gsub(string.sub(record, 1, 96), '[1-9a-f]', '0') ~= SHAPE then return nil end
  local fence = {
    system = string.sub(record, 3, 18), timeline = string.sub(record, 20, 27), lsn = string.sub(record, 29, 44),
    flush = string.sub(record, 46, 61), xmin = string.sub(record, 63, 78), xmax = string.sub(record, 80, 95),
    text = string.sub(record, 97),
  }
  fence.running = list(fence.text, fence.xmin, fence.xmax)
  return fence.running and fence.xmin <= fence.xmax and fence or nil
end

local function later(a, b) return a > b and a or b end

-- What the further snapshot leaves running, and the other does not ask for either.
local function still_running(high, low)
  local kept = {}
  for _, xid in ipairs(high.running) do
    if xid >= low.xmax or string.find(low.text, xid, 1, true) then kept[#kept + 1] = xid end
  end
  return #kept > 0 and table.concat(kept, ',') or '-'
end

local stands = redis.call('GET', KEYS[1])
if not stands or stands == ARGV[3] then return 0 end
local epoch = string.sub(stands, 1, #ARGV[3])
local fence, write = decode(string.sub(stands, #epoch + 1)), decode(ARGV[1])
if epoch ~= ARGV[3] then
  return redis.call('DEL', KEYS[1])
end
if fence and fence.system == write.system and fence.timeline > write.timeline then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
if not fence or fence.system ~= write.system or fence.timeline ~= write.timeline then
  return redis.call('DEL', KEYS[1])
end
local high, low = fence, write
if write.xmax > fence.xmax then high, low = write, fence end
redis.call('SET', KEYS[1], epoch .. table.concat({ 'F', fence.system, fence.timeline, later(fence.lsn, write.lsn),
  later(fence.flush, write.flush), later(fence.xmin, write.xmin), high.xmax, still_running(high, low) }, ' '),
  'PX', ARGV[2])
return 1
