//! `select!`.

/// Waits for one of several communications; exactly one happens.
///
/// ```no_run
/// use std::time::Duration;
/// use transputer_guest::{Error, Receiver, Sender, select};
///
/// fn merge(a: Receiver<u64>, b: Receiver<u64>, merged: Sender<u64>) -> Result<(), Error> {
///     let (mut a_open, mut b_open) = (true, true);
///     while a_open || b_open {
///         let number = select! {
///             number = receive(a) if a_open => match number {
///                 Err(Error::Closed) => { a_open = false; continue }
///                 number => number?,
///             },
///             number = receive(b) if b_open => match number {
///                 Err(Error::Closed) => { b_open = false; continue }
///                 number => number?,
///             },
///             after(Duration::from_secs(60)) => return Err("nothing for a minute".into()),
///         }?;
///         merged.send(&number)?;
///     }
///     Ok(())
/// }
/// ```
///
/// # Guards
///
/// | Guard | Ready | Its pattern binds |
/// |---|---|---|
/// | `pattern = receive(receiver) =>` | there is a message, or the channel has ended | `Result<T, Error>` |
/// | `pattern = send(sender, message) =>` | the message can go, or the channel has ended | `Result<(), Error>` |
/// | `after(duration) =>` | that much time has passed | |
/// | `at(instant) =>` | it is that time or later | |
/// | `skip =>` | no other guard is ready: it never waits | |
///
/// Any guard may have a condition, `if condition` before `=>`; where that is false the guard takes
/// no part, and its channel and message are not even evaluated. A channel that has ended stays ready
/// forever, so a loop must switch its guard off like that, or end.
///
/// Among guards that are ready each has the same chance; with `priority;` before the first guard,
/// the first one wins.
///
/// # Value
///
/// `Result<V, Error>`, where `V` is the type of all the arms. `Err` concerns the alternation as a
/// whole, as in [`Alternation::wait`](crate::Alternation::wait): without an enabled guard it is
/// [`Error::NoGuard`](crate::Error::NoGuard). Arms are part of the surrounding function: `?`,
/// `return`, `break` and `continue` work in them.
#[macro_export]
macro_rules! select {
    (priority; $($arms:tt)+) => {
        $crate::__select!(@arms [alternation chosen priority] [] [] $($arms)+)
    };
    ($($arms:tt)+) => {
        $crate::__select!(@arms [alternation chosen fair] [] [] $($arms)+)
    };
}

/// Collects, guard by guard, the code that sets it up and the code that recognises it. By macro hygiene,
/// every step's `guard` is a separate variable.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    // A guard each: put into one form, body to be found.
    (@arms $names:tt $set:tt $tell:tt after($time:expr) $(if $on:expr)? => $($rest:tt)+) => {
        $crate::__select!(@body $names $set $tell [after ($time) (true $(&& $on)?)] $($rest)+)
    };
    (@arms $names:tt $set:tt $tell:tt at($time:expr) $(if $on:expr)? => $($rest:tt)+) => {
        $crate::__select!(@body $names $set $tell [at ($time) (true $(&& $on)?)] $($rest)+)
    };
    (@arms $names:tt $set:tt $tell:tt skip $(if $on:expr)? => $($rest:tt)+) => {
        $crate::__select!(@body $names $set $tell [skip () (true $(&& $on)?)] $($rest)+)
    };
    (@arms $names:tt $set:tt $tell:tt $got:pat = receive($receiver:expr) $(if $on:expr)? => $($rest:tt)+) => {
        $crate::__select!(@body $names $set $tell [receive ($got) ($receiver) (true $(&& $on)?)] $($rest)+)
    };
    (@arms $names:tt $set:tt $tell:tt $got:pat = send($sender:expr, $message:expr $(,)?) $(if $on:expr)? => $($rest:tt)+) => {
        $crate::__select!(@body $names $set $tell [send ($got) ($sender) ($message) (true $(&& $on)?)] $($rest)+)
    };

    // The body of the guard's arm.
    (@body $names:tt $set:tt $tell:tt $guard:tt $body:block, $($rest:tt)*) => {
        $crate::__select!(@guard $names $set $tell $guard ($body) $($rest)*)
    };
    (@body $names:tt $set:tt $tell:tt $guard:tt $body:block $($rest:tt)*) => {
        $crate::__select!(@guard $names $set $tell $guard ($body) $($rest)*)
    };
    (@body $names:tt $set:tt $tell:tt $guard:tt $body:expr, $($rest:tt)*) => {
        $crate::__select!(@guard $names $set $tell $guard ($body) $($rest)*)
    };
    (@body $names:tt $set:tt $tell:tt $guard:tt $body:expr) => {
        $crate::__select!(@guard $names $set $tell $guard ($body))
    };

    // The code for the guard, then on to the next.
    (@guard [$alternation:ident $chosen:ident $order:ident $($form:ident)?] [$($set:tt)*] [$($tell:tt)*]
        [receive ($got:pat) ($receiver:expr) ($on:expr)] ($body:expr) $($rest:tt)*) => {
        $crate::__select!(@arms [$alternation $chosen $order $($form)?]
            [$($set)* let guard = if $on {
                ::core::option::Option::Some($alternation.receive(&$receiver))
            } else {
                ::core::option::Option::None
            };]
            [$($tell)* if let ::core::option::Option::Some(outcome) =
                guard.as_ref().and_then(|guard| $chosen.received(guard)) {
                let $got = outcome;
                $body
            } else]
            $($rest)*)
    };
    (@guard [$alternation:ident $chosen:ident $order:ident $($form:ident)?] [$($set:tt)*] [$($tell:tt)*]
        [send ($got:pat) ($sender:expr) ($message:expr) ($on:expr)] ($body:expr) $($rest:tt)*) => {
        $crate::__select!(@arms [$alternation $chosen $order $($form)?]
            [$($set)* let guard = if $on {
                ::core::option::Option::Some($alternation.send(&$sender, $message))
            } else {
                ::core::option::Option::None
            };]
            [$($tell)* if let ::core::option::Option::Some(outcome) =
                guard.as_ref().and_then(|guard| $chosen.sent(guard)) {
                let $got = outcome;
                $body
            } else]
            $($rest)*)
    };
    (@guard [$alternation:ident $chosen:ident $order:ident $($form:ident)?] [$($set:tt)*] [$($tell:tt)*]
        [$plain:ident ($($time:expr)?) ($on:expr)] ($body:expr) $($rest:tt)*) => {
        $crate::__select!(@arms [$alternation $chosen $order $($form)?]
            [$($set)* let guard = if $on {
                ::core::option::Option::Some($alternation.$plain($($time)?))
            } else {
                ::core::option::Option::None
            };]
            [$($tell)* if guard.as_ref().is_some_and(|guard| $chosen.is(guard)) {
                $body
            } else]
            $($rest)*)
    };

    // No guard is left.
    (@arms [$alternation:ident $chosen:ident $order:ident] [$($set:tt)*] [$($tell:tt)*]) => {{
        #[allow(unused_mut)]
        let mut $alternation = $crate::Alternation::$order();
        $($set)*
        match $alternation.wait() {
            #[allow(unused_mut)]
            ::core::result::Result::Ok(mut $chosen) => {
                ::core::result::Result::Ok($($tell)* { $crate::__private::no_such_guard() })
            }
            ::core::result::Result::Err(error) => ::core::result::Result::<_, $crate::Error>::Err(error),
        }
    }};

    (@arms [$alternation:ident $chosen:ident $order:ident stackless] [$($set:tt)*] [$($tell:tt)*]) => {{
        #[allow(unused_mut)]
        let mut $alternation = $crate::stackless::Alternation::$order();
        $($set)*
        match $alternation.wait().await {
            #[allow(unused_mut)]
            ::core::result::Result::Ok(mut $chosen) => {
                ::core::result::Result::Ok($($tell)* { $crate::__private::no_such_guard() })
            }
            ::core::result::Result::Err(error) => ::core::result::Result::<_, $crate::Error>::Err(error),
        }
    }};

    (@arms $names:tt $set:tt $tell:tt $($other:tt)+) => {
        ::core::compile_error!(
            "expected a guard: `pattern = receive(receiver) => ...`, \
             `pattern = send(sender, message) => ...`, `after(duration) => ...`, \
             `at(instant) => ...` or `skip => ...`"
        )
    };
}
