//! The wasmtime engine, set up for many small processes.

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy};
use wasmtime::{PoolingAllocationConfig, WasmBacktraceDetails};

use crate::error::Error;
use crate::host::HostOptions;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Address space for all linear memories: half of the 47 bits that a program has.
const ADDRESS_SPACE: u64 = 1 << 46;

/// The stack of a fiber, and how much of it a guest may use.
const FIBER_STACK: usize = 256 << 10;
const GUEST_STACK: usize = 128 << 10;

/// Kernel mappings that a process costs, measured; see `host/runtime/README.md`: some for its place,
/// whether it is taken or not, and some while it lives.
const MAPPINGS_OF_A_PLACE: u64 = 2;
const MAPPINGS_OF_A_PROCESS: u64 = 4;

/// Mappings kept free at least for everything else: the program, its libraries, its threads.
const MAPPINGS_KEPT: u64 = 2_000;

/// Mappings kept free for what the program will have besides those that it has now.
const MAPPINGS_TO_COME: u64 = 1_000;

/// What a component may be made of.
const CORE_INSTANCES: u32 = 8;
const MEMORIES: u32 = 2;
const TABLES: u32 = 4;
const TABLE_ELEMENTS: usize = 20_000;

/// How much of a memory and of a table stays resident in the place of a process that has ended.
/// What it wrote is reset there by copying, which spares the next process the page faults.
const MEMORY_KEPT: usize = 64 << 10;
const TABLE_KEPT: usize = 8 << 10;

/// The first kernel that tells which pages a process wrote; before it all that is kept would
/// have to be copied.
const TELLS_WRITTEN_PAGES: (u32, u32) = (6, 7);

/// The largest linear memory that a process can have when so many are planned for.
pub(crate) fn largest_memory(max_processes: u32) -> u64 {
    let share = ADDRESS_SPACE / u64::from(max_processes.max(1));
    // A power of two, so that slots stay aligned; at 4 GiB bounds checks can be left out.
    (1_u64 << share.max(1).ilog2()).clamp(4 * MIB, 4 * GIB)
}

/// How many processes fit beneath the kernel's limit on mappings besides the places of all, and
/// that limit, if it is known.
pub(crate) fn mapping_capacity(max_processes: u32) -> Option<(u32, u64)> {
    let text = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok()?;
    let limit: u64 = text.trim().parse().ok()?;
    let reserved = u64::from(max_processes) * MAPPINGS_OF_A_PLACE;
    let room = limit.saturating_sub(mappings_kept() + reserved) / MAPPINGS_OF_A_PROCESS;
    Some((u32::try_from(room).unwrap_or(u32::MAX), limit))
}

/// Mappings that processes cannot have: the program has some already, those of other hosts
/// included.
fn mappings_kept() -> u64 {
    let maps = std::fs::read("/proc/self/maps").unwrap_or_default();
    let present = maps.iter().filter(|byte| **byte == b'\n').count() as u64;
    MAPPINGS_KEPT.max(present + MAPPINGS_TO_COME)
}

pub(crate) fn engine(options: &HostOptions) -> Result<Engine, Error> {
    if let Some((0, limit)) = mapping_capacity(options.max_processes) {
        return Err(Error::Setup {
            message: format!(
                "{} processes need more memory mappings than the kernel allows: \
                 vm.max_map_count is {limit}; set it to {} with `sysctl -w`, or lower \
                 `max_processes`",
                options.max_processes,
                mappings_for(options.max_processes)
            ),
        });
    }
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        // A seeded run preempts by counting instructions, which time does not change.
        .epoch_interruption(options.seed.is_none())
        .consume_fuel(options.seed.is_some())
        .async_stack_size(FIBER_STACK)
        .max_wasm_stack(GUEST_STACK)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .memory_reservation(largest_memory(options.max_processes))
        .memory_guard_size(32 * MIB)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(options)));
    Engine::new(&config).map_err(|error| Error::Setup {
        message: format!(
            "an engine for {} processes: {error:#}; try a lower `max_processes`",
            options.max_processes
        ),
    })
}

fn pool(options: &HostOptions) -> PoolingAllocationConfig {
    let processes = options.max_processes;
    let largest = largest_memory(processes);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(processes)
        .total_core_instances(processes.saturating_mul(CORE_INSTANCES))
        // One each: a component with two takes the place of another process.
        .total_memories(processes)
        .total_tables(processes.saturating_mul(TABLES))
        .total_stacks(processes)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(usize::try_from(largest).unwrap_or(usize::MAX))
        .table_elements(TABLE_ELEMENTS)
        .max_unused_warm_slots(processes.min(256));
    if kernel() >= Some(TELLS_WRITTEN_PAGES) {
        pool.pagemap_scan(Enabled::Auto)
            .linear_memory_keep_resident(MEMORY_KEPT)
            .table_keep_resident(TABLE_KEPT);
    }
    pool
}

/// The version of the Linux kernel, if this is one.
fn kernel() -> Option<(u32, u32)> {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    let mut next = || numbers.next()?.parse().ok();
    Some((next()?, next()?))
}

/// The kernel's limit on mappings that so many processes need.
pub(crate) fn mappings_for(processes: u32) -> u64 {
    u64::from(processes) * (MAPPINGS_OF_A_PLACE + MAPPINGS_OF_A_PROCESS) + mappings_kept()
}
