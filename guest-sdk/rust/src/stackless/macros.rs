//! What the macros of processes that are async functions expand to.

/// Waits for one of several communications; exactly one happens. The same as
/// [`select!`](macro@crate::select), of a process that is an `async` function.
///
/// ```no_run
/// use std::time::Duration;
/// use transputer_guest::Error;
/// use transputer_guest::stackless::{Receiver, Sender, select};
///
/// async fn merge(a: Receiver<u64>, b: Receiver<u64>, merged: Sender<u64>) -> Result<(), Error> {
///     loop {
///         let number = select! {
///             number = receive(a) => number?,
///             number = receive(b) => number?,
///             after(Duration::from_secs(60)) => return Err("nothing for a minute".into()),
///         }?;
///         merged.send(number).await?;
///     }
/// }
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __select_stackless {
    (priority; $($arms:tt)+) => {
        $crate::__select!(@arms [alternation chosen priority stackless] [] [] $($arms)+)
    };
    ($($arms:tt)+) => {
        $crate::__select!(@arms [alternation chosen fair stackless] [] [] $($arms)+)
    };
}

/// The exports of a component whose processes are `async` functions, with the type of its world. Once in
/// a component.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_stackless {
    () => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code)]
        const _: () = {
            #[unsafe(export_name = "[async-lift]run")]
            extern "C" fn transputer_run(
                arguments: u32,
                arguments_length: u32,
                inputs: u32,
                inputs_length: u32,
                outputs: u32,
                outputs_length: u32,
            ) -> u32 {
                $crate::__private::run_stackless(
                    [arguments, arguments_length],
                    [inputs, inputs_length],
                    [outputs, outputs_length],
                )
            }

            #[unsafe(export_name = "[callback][async-lift]run")]
            extern "C" fn transputer_callback(event: u32, subtask: u32, _state: u32) -> u32 {
                $crate::__private::call_back(event, subtask)
            }

            #[used]
            #[unsafe(link_section = "component-type:transputer:csp@0.2.0:guest-async")]
            static TRANSPUTER_WORLD: [u8; $crate::__private::STACKLESS_WORLD.len()] =
                $crate::__private::STACKLESS_WORLD;
        };
    };
}

/// The exports of a component whose processes block. Once in a component.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_blocking {
    () => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code)]
        const _: () = {
            use $crate::__private::Component;
    $crate::bindings::export!(Component with_types_in $crate::bindings);
        };
    };
}
