"""mmcheck's part about the kernel's objects: what mm/slab_audit.c checks, looked at from outside."""
import struct

import machine
import spaces
from machine import integer, pointer, variable

SLAB_FREE_END = 0xffff


def check_caches(check):
    frames = 0
    for cache in machine.list_entries(variable("all_slab_caches"), "struct slab_cache", "caches"):
        check_cache(check, cache, f"cache {machine.string(cache['name'])}")
        frames += integer(cache["slabs"]) << integer(cache["order"])
    slab_type = next(value for value, name in check.names.items() if name == "slab")
    if frames != integer(variable("frame_counts")[slab_type]):
        check.find("a slab frame belongs to no cache")


def check_cache(check, cache, name):
    slabs = objects = empty = 0
    for which in ("partial", "full"):
        for page in machine.list_entries(cache[which], "struct page", "lru"):
            slabs += 1
            given_out = integer(page["slab_objects"]) - 1
            objects += given_out
            empty += given_out == 0
            check_slab(check, cache, name, page, which)
    if (slabs, empty) != (integer(cache["slabs"]), integer(cache["empty_slabs"])):
        check.find(f"{name}: counts {integer(cache['slabs'])} slabs, {integer(cache['empty_slabs'])} of them empty, "
                   f"and has {slabs}, {empty} of them empty")
    counted = integer(cache["objects"]) + integer(cache["loaded"])
    if objects != counted:
        check.find(f"{name}: its slabs have given out {objects} objects, and {counted} are counted")
    check_magazine(check, cache, name)


def frame_number(page):
    return (pointer(page.address) - pointer(variable("mem_map"))) // spaces.STRUCT_PAGE.size


def check_slab(check, cache, name, page, which):
    pfn = frame_number(page)
    if check.type_of(pfn) != "slab" or pointer(page["slab"]) != pointer(cache.address) or \
            integer(page["order"]) != integer(cache["order"]):
        check.find(f"{name}: a slab's frame, {pfn:#x}, does not belong to it")
        return
    free = free_objects(cache, page, pfn)
    if free is None:
        check.find(f"{name}: the chain of free objects in frame {pfn:#x} is broken")
        return
    if integer(page["slab_objects"]) - 1 != integer(cache["per_slab"]) - free:
        check.find(f"{name}: the slab in frame {pfn:#x} counts {integer(page['slab_objects']) - 1} objects in use, and "
                   f"{free} of {integer(cache['per_slab'])} are free")
    if (which == "full") != (free == 0):
        check.find(f"{name}: the slab in frame {pfn:#x} is in the wrong list")


def free_objects(cache, page, pfn):
    """How long the chain of free objects is; None when it leads astray."""
    memory = machine.read_physical(pfn << 12, machine.PAGE_SIZE << integer(cache["order"]))
    size, most = integer(cache["object_size"]), integer(cache["per_slab"])
    number, count = integer(page["slab_free"]), 0
    while number != SLAB_FREE_END:
        if number >= most or count == most:
            return None
        number, = struct.unpack_from("<H", memory, number * size)
        count += 1
    return count


def check_magazine(check, cache, name):
    """The free objects at hand: each an object of the cache, and none twice."""
    loaded = integer(cache["loaded"])
    objects = [pointer(cache["magazine"][place]) for place in range(loaded)]
    order, size = integer(cache["order"]), integer(cache["object_size"])
    for address in objects:
        pfn = (address - machine.PAGE_OFFSET) >> 12 >> order << order
        if check.type_of(pfn) != "slab" or pointer(page_at(pfn)["slab"]) != pointer(cache.address):
            check.find(f"{name}: its magazine holds {address:#x}, which is no object of it")
        elif (address - machine.PAGE_OFFSET - (pfn << 12)) % size:
            check.find(f"{name}: its magazine holds {address:#x}, which lies inside an object")
    if len(set(objects)) != loaded:
        check.find(f"{name}: an object is twice in its magazine")


def page_at(pfn):
    return (variable("mem_map") + pfn).dereference()
