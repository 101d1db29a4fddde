//! The wasmtime engines: for many small processes, and for processes that need large stacks.
//!
//! An engine has one size of stack. A large one costs each process that has it a page for the kernel's tables and
//! address space, so only components that ask for one get it: interpreters, which recurse as their programs do.
//! Engines for these are made when the first such component is loaded.

mod slots;

use std::sync::{Arc, Mutex, OnceLock};

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy};
use wasmtime::{PoolingAllocationConfig, ProfilingStrategy, WasmBacktraceDetails};

use crate::error::Error;
use crate::host::lock;
use crate::options::HostOptions;
use crate::profiling::Profiling;
use slots::Settings;
pub(crate) use slots::{Pool, Slots};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Address space for all linear memories: half of the 47 bits that a program has.
const ADDRESS_SPACE: u64 = 1 << 46;

/// What a fiber's stack has besides what a guest may use of it.
const STACK_KEPT: usize = 128 << 10;

/// How many processes with large stacks can live at once, at most.
const MOST_WITH_LARGE_STACKS: u32 = 1_000;

/// The two sizes of stacks.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum StackClass {
    Small,
    Large,
}

/// What each worker's stack has: a guest that is called on it finds as much as on one of its own.
pub(crate) const WORKER_STACK: usize = StackClass::Large.guest_stack() + (1 << 20);

impl StackClass {
    /// How much a guest may use, in bytes.
    const fn guest_stack(self) -> usize {
        match self {
            Self::Small => 128 << 10,
            Self::Large => 2 << 20,
        }
    }

    /// The smallest class with so large a stack.
    ///
    /// # Errors
    /// How much there is at most.
    pub(crate) fn with(stack: Option<u64>) -> Result<Self, usize> {
        let holds = |class: &Self| stack.unwrap_or(0) <= class.guest_stack() as u64;
        let classes = [Self::Small, Self::Large];
        let found = classes.into_iter().find(holds);
        found.ok_or(Self::Large.guest_stack())
    }

    /// How many processes of it can live, of all that can.
    pub(crate) fn slots(self, max_processes: u32) -> u32 {
        match self {
            Self::Small => max_processes,
            Self::Large => max_processes.min(MOST_WITH_LARGE_STACKS),
        }
    }
}

/// The engines of a host, and of those made of it.
pub(crate) struct Engines {
    settings: Settings,
    small: Arc<Slots>,
    large: OnceLock<Arc<Slots>>,
    /// Held while the second is made.
    making: Mutex<()>,
}

impl Engines {
    pub(crate) fn new(options: &HostOptions) -> Result<Self, Error> {
        let settings = Settings {
            max_processes: options.max_processes,
            is_seeded: options.seed.is_some(),
            core_modules: options.core_modules,
            core_dumps: options.core_dumps.is_some(),
            perf: options.profiling == Profiling::Perf,
        };
        check_mappings(settings.max_processes)?;
        check_address_space(settings.max_processes)?;
        Ok(Self {
            settings,
            small: Slots::new(StackClass::Small, settings)?,
            large: OnceLock::new(),
            making: Mutex::new(()),
        })
    }

    /// Where processes of a class run.
    pub(crate) fn slots(&self, class: StackClass) -> Result<&Arc<Slots>, Error> {
        if class == StackClass::Small {
            return Ok(&self.small);
        }
        let _making = lock(&self.making);
        if self.large.get().is_none() {
            let made = Slots::new(class, self.settings)?;
            // Nobody else makes one meanwhile.
            let _ = self.large.set(made);
        }
        Ok(self.large.get().unwrap_or(&self.small))
    }

    /// Those that there are.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Engine> {
        let slots = std::iter::once(&self.small).chain(self.large.get());
        slots.flat_map(|slots| slots.engines())
    }

    /// Whether slots are those of these engines.
    pub(crate) fn has(&self, slots: &Arc<Slots>) -> bool {
        let mut own = std::iter::once(&self.small).chain(self.large.get());
        own.any(|own| Arc::ptr_eq(own, slots))
    }
}

/// Kernel mappings that a process costs, as measured (`host/runtime/README.md`): some for its slot in
/// the pool, used or not, and some while it lives.
const MAPPINGS_OF_A_SLOT: u64 = 2;
const MAPPINGS_OF_A_PROCESS: u64 = 4;

/// The fewest mappings that are kept free for everything else: the program, its libraries, its threads.
const MAPPINGS_KEPT: u64 = 2_000;

/// Mappings kept free for what the program adds to those that it has now.
const MAPPINGS_TO_COME: u64 = 1_000;

/// What a component may be made of. That of CPython has 14 core instances, and a table of 5,726 elements that
/// grows.
const CORE_INSTANCES: u32 = 64;
const MEMORIES: u32 = 4;
const TABLES: u32 = 16;
const TABLE_ELEMENTS: usize = 40_000;

/// The slots of tables that there are for a process; one with more tables takes those of another.
const TABLES_OF_A_PROCESS: u32 = 2;

/// How much of a memory and of a table stays resident in its slot when a process has ended. What the
/// process wrote there is reset by copying, which spares the next one the page faults.
const MEMORY_KEPT: usize = 64 << 10;
const TABLE_KEPT: usize = 8 << 10;

/// The first kernel that tells which pages were written; on earlier ones, everything that is kept
/// would have to be copied.
const TELLS_WRITTEN_PAGES: (u32, u32) = (6, 7);

/// However many processes share the address space, each has memories of this size at least.
const SMALLEST_MEMORY: u64 = 4 * MIB;

/// A guard region behind each memory.
const GUARD: u64 = 32 * MIB;

/// The address space of one process where that is limited: a memory as large as the usual limit, its guard,
/// stack and tables.
const PLACE: u64 = 64 * MIB + GUARD + 2 * MIB;

/// What slots may take of the address space, if that is limited (`ulimit -v`): a quarter. Large stacks have
/// slots of their own, and half is left for everything else.
fn address_space() -> Option<u64> {
    Some((address_space_limit()? / 4).min(ADDRESS_SPACE))
}

#[cfg(unix)]
fn address_space_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

#[cfg(not(unix))]
fn address_space_limit() -> Option<u64> {
    None
}

/// The largest linear memory that each of this many processes can have.
pub(crate) fn largest_memory(max_processes: u32) -> u64 {
    let share = match address_space() {
        None => ADDRESS_SPACE / u64::from(max_processes.max(1)),
        // There guards count, and so do the memories of a component that has several.
        Some(room) => (room / u64::from(max_processes.max(MEMORIES))).saturating_sub(GUARD),
    };
    // A power of two, so that slots stay aligned; at 4 GiB bounds checks can be left out.
    (1_u64 << share.max(1).ilog2()).clamp(SMALLEST_MEMORY, 4 * GIB)
}

/// How many processes fit under the kernel's limit on mappings once all slots are reserved, and that
/// limit, if it is known.
pub(crate) fn mapping_capacity(max_processes: u32) -> Option<(u32, u64)> {
    let limit = mapping_limit()?;
    let reserved = mappings_of_slots(max_processes);
    let room = limit.saturating_sub(mappings_kept() + reserved) / MAPPINGS_OF_A_PROCESS;
    Some((u32::try_from(room).unwrap_or(u32::MAX), limit))
}

/// The mappings of all slots, those for large stacks included.
fn mappings_of_slots(max_processes: u32) -> u64 {
    let classes = [StackClass::Small, StackClass::Large];
    let slots = classes.map(|class| u64::from(class.slots(max_processes)));
    slots.iter().sum::<u64>() * MAPPINGS_OF_A_SLOT
}

/// How many processes a host has room for if nobody says otherwise, and the kernel allows as many.
const USUAL_PROCESSES: u32 = 10_000;

/// As many of the usual number of processes as can live together.
pub(crate) fn usual_processes() -> u32 {
    let mapped = usual_processes_by_mappings();
    match address_space() {
        None => mapped,
        Some(room) => u32::try_from(room / PLACE)
            .unwrap_or(u32::MAX)
            .clamp(1, mapped),
    }
}

fn usual_processes_by_mappings() -> u32 {
    let Some(limit) = mapping_limit() else {
        return USUAL_PROCESSES;
    };
    let large = u64::from(MOST_WITH_LARGE_STACKS) * MAPPINGS_OF_A_SLOT;
    let room = limit.saturating_sub(mappings_kept() + large)
        / (MAPPINGS_OF_A_SLOT + MAPPINGS_OF_A_PROCESS);
    u32::try_from(room)
        .unwrap_or(u32::MAX)
        .clamp(1, USUAL_PROCESSES)
}

/// The kernel's limit on mappings, if it is known.
fn mapping_limit() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok()?;
    text.trim().parse().ok()
}

/// Mappings that processes cannot have: the program has some already, those of other hosts
/// included.
fn mappings_kept() -> u64 {
    let maps = std::fs::read("/proc/self/maps").unwrap_or_default();
    let present = maps.iter().filter(|byte| **byte == b'\n').count() as u64;
    MAPPINGS_KEPT.max(present + MAPPINGS_TO_COME)
}

fn check_mappings(max_processes: u32) -> Result<(), Error> {
    let Some((0, limit)) = mapping_capacity(max_processes) else {
        return Ok(());
    };
    Err(Error::Setup {
        message: format!(
            "{max_processes} processes need more memory mappings than the kernel allows: \
             vm.max_map_count is {limit}; set it to {} with `sysctl -w`, or lower `max_processes`",
            mappings_for(max_processes)
        ),
    })
}

/// Refuses places that there is no room for, also those whose slots are made later.
fn check_address_space(processes: u32) -> Result<(), Error> {
    let Some(limit) = address_space_limit() else {
        return Ok(());
    };
    let wanted = u64::from(processes).saturating_mul(largest_memory(processes) + GUARD);
    if wanted <= limit / 2 {
        return Ok(());
    }
    Err(Error::Setup {
        message: format!(
            "places for {processes} processes take {} MiB of address space; {}",
            wanted / MIB,
            advice(processes)
        ),
    })
}

/// An engine with so many of the slots that there are for a class.
fn engine(class: StackClass, settings: Settings, slots: u32) -> Result<Engine, Error> {
    let processes = class.slots(settings.max_processes);
    let is_seeded = settings.is_seeded;
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        // A seeded run preempts by counting instructions, which does not depend on time.
        .epoch_interruption(!is_seeded)
        .consume_fuel(is_seeded)
        .async_stack_size(class.guest_stack() + STACK_KEPT)
        .max_wasm_stack(class.guest_stack())
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        // Neither of these has a part in what is compiled: code from the cache serves as well.
        .coredump_on_trap(settings.core_dumps)
        .profiler(match settings.perf {
            true => ProfilingStrategy::PerfMap,
            false => ProfilingStrategy::None,
        })
        .memory_reservation(largest_memory(processes))
        .memory_guard_size(GUARD)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(processes, slots)));
    Engine::new(&config).map_err(|error| Error::Setup {
        message: format!(
            "an engine for {slots} of {processes} processes: {error:#}; {}",
            advice(processes)
        ),
    })
}

/// What helps where address space cannot be reserved.
fn advice(processes: u32) -> String {
    let (Some(limit), Some(room)) = (address_space_limit(), address_space()) else {
        return "try a lower `max_processes`".to_owned();
    };
    let limited = limited_to(limit);
    if limit / 2 < u64::from(MEMORIES) * (SMALLEST_MEMORY + GUARD) {
        return format!("{limited}, which is not enough for one process: raise that limit");
    }
    let room = match (room / PLACE).clamp(1, processes.into()) {
        1 => "1 process".to_owned(),
        several => format!("{several} processes"),
    };
    format!(
        "{limited}, which has room for {room}: lower `max_processes` to that, or raise the limit"
    )
}

/// What is added to an error that may come of too little address space: advice, if that is limited.
pub(crate) fn if_limited() -> String {
    address_space_limit().map_or_else(String::new, |limit| {
        format!("; {}: raise that limit", limited_to(limit))
    })
}

fn limited_to(bytes: u64) -> String {
    let limit = bytes / MIB;
    format!("the address space is limited to {limit} MiB (`ulimit -v`)")
}

/// The slots of one engine, with memories as large as all processes of its class can have.
fn pool(processes: u32, slots: u32) -> PoolingAllocationConfig {
    let largest = largest_memory(processes);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(CORE_INSTANCES))
        // One each: a component with two uses the slots of two processes.
        .total_memories(slots.max(MEMORIES))
        .total_tables(slots.saturating_mul(TABLES_OF_A_PROCESS).max(TABLES))
        .total_stacks(slots)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(usize::try_from(largest).unwrap_or(usize::MAX))
        .table_elements(TABLE_ELEMENTS)
        .max_unused_warm_slots(slots.min(256));
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

/// The limit on mappings that this many processes need.
pub(crate) fn mappings_for(processes: u32) -> u64 {
    u64::from(processes) * MAPPINGS_OF_A_PROCESS + mappings_of_slots(processes) + mappings_kept()
}
