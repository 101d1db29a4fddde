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

/// Runs blocks of a process in parallel, until all of them have ended: CSP's parallel, within one process.
///
/// While one waits the others go on. They share the variables of the function as the compiler allows. In a block, `?`
/// ends the block; the value of all is that of the first block, in the order of the source, that has failed.
///
/// ```no_run
/// use transputer_guest::Error;
/// use transputer_guest::stackless::{Receiver, Sender, par};
///
/// /// Both directions of a line, at once.
/// #[transputer_guest::process]
/// async fn line(
///     mut there: Receiver<String>,
///     to: Sender<String>,
///     mut back: Receiver<String>,
///     from: Sender<String>,
/// ) -> Result<(), Error> {
///     let mut count = 0;
///     par! {
///         {
///             while let Some(text) = there.next().await? {
///                 to.send(text).await?;
///             }
///         }
///         {
///             while let Some(text) = back.next().await? {
///                 from.send(text).await?;
///                 count += 1;
///             }
///         }
///     }?;
///     println!("{count} came back");
///     Ok(())
/// }
/// # fn main() {}
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __par_stackless {
    ($($block:block $(,)?)+) => {
        $crate::stackless::all([$(
            ::std::boxed::Box::pin(async {
                let () = $block;
                ::core::result::Result::Ok(())
            }) as ::core::pin::Pin<::std::boxed::Box<
                dyn ::core::future::Future<Output = ::core::result::Result<(), $crate::Error>> + '_,
            >>
        ),+])
        .await
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
