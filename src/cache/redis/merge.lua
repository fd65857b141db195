-- Merges the fence ARGV[1] into the one that stands, for ARGV[2] ms, and takes out what ARGV[4] settles: sdi_fence_merge
-- in Lua. What stands begins with the epoch it is of; one of another epoch than ARGV[3] is deleted. Numbers are compared
-- as strings: all have a fixed width, and Lua's own are too short for them.
local stands = redis.call('GET', KEYS[1])
if not stands or stands == ARGV[3] then return 0 end
local epoch = string.sub(stands, 1, #ARGV[3])

-- Nothing runs or is pending on either side, and the write is the later one in everything: it becomes the fence. So it is
-- mostly, and all the rest is not even compiled into functions then.
local IDLE = '^[FS] ([%da-f]+ [%da-f]+) ([%da-f]+) ([%da-f]+) ([%da-f]+) ([%da-f]+) %- %-$'
local era, lsn, flush, xmin, xmax = string.match(stands, IDLE, #epoch + 1)
local of, to_lsn, to_flush, to_xmin, to_xmax = string.match(ARGV[1], IDLE)
if era and era == of and epoch == ARGV[3] and #lsn == 16 and #flush == 16 and #xmin == 16 and #xmax == 16 and
    xmin <= xmax and lsn <= to_lsn and flush <= to_flush and xmin <= to_xmin and xmax <= to_xmax then
  redis.call('SET', KEYS[1], string.sub(stands, 1, #epoch + 1) .. string.sub(ARGV[1], 2), 'PX', ARGV[2])
  return 1
end

local ZEROS = string.rep('0', 16)
local SHAPE = ' ' .. ZEROS .. ' 00000000 ' .. string.rep(ZEROS .. ' ', 4)
local RUNNING_MAX, PENDING_MAX = 64, 32

local function zeroed(text) return (string.gsub(text, '[1-9a-f]', '0')) end

-- The elements of a list whose elements have this shape, nil if it is damaged or too long.
local function split(text, shape, most)
  if text == '-' then return {} end
  local width = #shape + 1
  local count = math.floor((#text + 1) / width)
  if count < 1 or count > most or zeroed(text) .. ',' ~= string.rep(shape .. ',', count) then return nil end
  local elements = {}
  for i = 1, count do elements[i] = string.sub(text, (i - 1) * width + 1, i * width - 1) end
  return elements
end

-- The running xids from xmin to before xmax in order.
local function running_of(text, xmin, xmax)
  local xids = split(text, ZEROS, RUNNING_MAX)
  for i, xid in ipairs(xids or {}) do
    if xid < (xids[i - 1] or xmin) or xid >= xmax then return nil end
  end
  return xids
end

-- The pending xids in order, and the flush position of each.
local function pending_of(text)
  local elements, xids, flush = split(text, ZEROS .. ':' .. ZEROS, PENDING_MAX), {}, {}
  if not elements then return nil end
  for i, element in ipairs(elements) do
    xids[i] = string.sub(element, 1, 16)
    if i > 1 and xids[i] <= xids[i - 1] then return nil end
    flush[xids[i]] = string.sub(element, 18)
  end
  return xids, flush
end

local function decode(record)
  local letter, blank = string.sub(record, 1, 1), string.find(record, ' ', 97, true)
  if not blank or letter ~= 'F' and letter ~= 'S' or zeroed(string.sub(record, 2, 96)) ~= SHAPE then return nil end
  local fence = {
    letter = letter, system = string.sub(record, 3, 18), timeline = string.sub(record, 20, 27),
    lsn = string.sub(record, 29, 44), flush = string.sub(record, 46, 61), xmin = string.sub(record, 63, 78),
    xmax = string.sub(record, 80, 95), text = string.sub(record, 97, blank - 1),
  }
  fence.running = running_of(fence.text, fence.xmin, fence.xmax)
  fence.xids, fence.pending = pending_of(string.sub(record, blank + 1))
  return fence.running and fence.xids and fence.xmin <= fence.xmax and fence or nil
end

local function later(a, b) return a > b and a or b end

local function joined(list) return #list > 0 and table.concat(list, ',') or '-' end

-- What the further snapshot leaves running, and the other does not ask for either.
local function still_running(high, low)
  local kept = {}
  for _, xid in ipairs(high.running) do
    if xid >= low.xmax or string.find(low.text, xid, 1, true) then kept[#kept + 1] = xid end
  end
  return joined(kept)
end

-- What is pending in either and not settled, nil if it is more than fits. Of the same xid the later position counts.
local function still_pending(fence, write, settled)
  local flush, xids, kept = write.pending, write.xids, {}
  for _, xid in ipairs(fence.xids) do
    if not flush[xid] then xids[#xids + 1] = xid end
    flush[xid] = later(flush[xid] or ZEROS, fence.pending[xid])
  end
  table.sort(xids)
  for _, xid in ipairs(xids) do
    if not settled[xid] or settled[xid] < flush[xid] then kept[#kept + 1] = xid .. ':' .. flush[xid] end
  end
  return #kept <= PENDING_MAX and joined(kept) or nil
end

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
local _, settled = pending_of(ARGV[4])
local pending = still_pending(fence, write, settled)
if not pending then
  return redis.call('DEL', KEYS[1])
end
local high, low = fence, write
if write.xmax > fence.xmax then high, low = write, fence end
redis.call('SET', KEYS[1], epoch .. table.concat({ fence.letter, fence.system, fence.timeline,
  later(fence.lsn, write.lsn), later(fence.flush, write.flush), later(fence.xmin, write.xmin), high.xmax,
  still_running(high, low), pending }, ' '), 'PX', ARGV[2])
return 1
