//! The host of Transputer as a Python module, `transputer._host`.
//!
//! It knows bytes only; `transputer.host` in `guest-sdk/python` makes values of them and is what
//! Python programs use. Three rules hold for every function in here:
//!
//! - Whatever may wait lets go of the interpreter meanwhile, and looks for signals ten times a
//!   second, so that Ctrl-C works.
//! - No lock is held while something waits, or while Python code runs.
//! - Errors are exceptions of `transputer.errors`, or of Python.

mod command;
mod ends;
mod errors;
mod host;
mod memory;
mod network;
mod running;
mod select;
mod values;
mod waiting;

use pyo3::prelude::*;

#[pymodule]
fn _host(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<host::Host>()?;
    module.add_class::<host::Component>()?;
    module.add_class::<network::Network>()?;
    module.add_class::<running::Running>()?;
    module.add_class::<ends::Sender>()?;
    module.add_class::<ends::Receiver>()?;
    module.add_class::<memory::Operation>()?;
    module.add_class::<memory::MemorySender>()?;
    module.add_class::<memory::MemoryReceiver>()?;
    module.add_class::<memory::MemoryBarrier>()?;
    module.add_function(wrap_pyfunction!(memory::open_channel, module)?)?;
    module.add_function(wrap_pyfunction!(memory::open_barrier, module)?)?;
    module.add_function(wrap_pyfunction!(memory::choose, module)?)?;
    module.add_function(wrap_pyfunction!(command::run_command, module)?)?;
    module.add_function(wrap_pyfunction!(select::select, module)?)
}
