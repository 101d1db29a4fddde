//! The `select!` of the tests.
//!
//! It brings the arms into one form, binds each end once, adds an operation for each arm in turn,
//! and goes to the arm whose number was chosen.

/// Waits for one of several operations; as crossbeam-channel's.
#[macro_export]
macro_rules! select {
    ($($arms:tt)*) => {
        $crate::crossbeam_channel_internal!($($arms)*)
    };
}

/// What `select!` expands to; the tests of `mpsc` name it.
#[macro_export]
macro_rules! crossbeam_channel_internal {
    // Arms into one form: {kind (arguments) pattern body}.
    (@arms $done:tt $default:tt) => {
        $crate::crossbeam_channel_internal!(@bind $done [] $default)
    };
    (@arms $done:tt [] default => $body:expr, $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(@arms $done [{() $body}] $($rest)*)
    };
    (@arms $done:tt [] default => $body:block $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(@arms $done [{() $body}] $($rest)*)
    };
    (@arms $done:tt [] default => $body:expr) => {
        $crate::crossbeam_channel_internal!(@arms $done [{() $body}])
    };
    (@arms $done:tt [] default($time:expr) => $body:expr, $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(@arms $done [{($time) $body}] $($rest)*)
    };
    (@arms $done:tt [] default($time:expr) => $body:block $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(@arms $done [{($time) $body}] $($rest)*)
    };
    (@arms $done:tt [] default($time:expr) => $body:expr) => {
        $crate::crossbeam_channel_internal!(@arms $done [{($time) $body}])
    };
    (@arms [$($done:tt)*] $default:tt $kind:ident($($end:tt)*) -> $p:pat => $body:expr, $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(
            @arms [$($done)* {$kind ($($end)*) $p, $body}] $default $($rest)*
        )
    };
    (@arms [$($done:tt)*] $default:tt $kind:ident($($end:tt)*) -> $p:pat => $body:block $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(
            @arms [$($done)* {$kind ($($end)*) $p, $body}] $default $($rest)*
        )
    };
    (@arms [$($done:tt)*] $default:tt $kind:ident($($end:tt)*) -> $p:pat => $body:expr) => {
        $crate::crossbeam_channel_internal!(
            @arms [$($done)* {$kind ($($end)*) $p, $body}] $default
        )
    };

    // Each end evaluated once. Every `end` here is another name, by hygiene.
    (@bind [{recv ($receiver:expr $(,)?) $p:pat, $body:expr} $($rest:tt)*] [$($bound:tt)*] $default:tt) => {
        match &$receiver {
            end => {
                let end: &$crate::Receiver<_> = end;
                $crate::crossbeam_channel_internal!(
                    @bind [$($rest)*] [$($bound)* {recv end () $p, $body}] $default
                )
            }
        }
    };
    (@bind [{send ($sender:expr, $message:expr $(,)?) $p:pat, $body:expr} $($rest:tt)*] [$($bound:tt)*] $default:tt) => {
        match &$sender {
            end => {
                let end: &$crate::Sender<_> = end;
                $crate::crossbeam_channel_internal!(
                    @bind [$($rest)*] [$($bound)* {send end ($message) $p, $body}] $default
                )
            }
        }
    };
    (@bind [] [$({$kind:ident $end:ident $message:tt $p:pat, $body:expr})*] $default:tt) => {{
        let mut select = $crate::Select::new();
        $(select.$kind($end);)*
        $crate::crossbeam_channel_internal!(
            @select select [$({$kind $end $message $p, $body})*] $default
        )
    }};

    (@select $select:ident $arms:tt []) => {{
        let chosen = $select.select();
        $crate::crossbeam_channel_internal!(@go chosen 0; $arms)
    }};
    (@select $select:ident $arms:tt [{() $otherwise:expr}]) => {
        match $select.try_select() {
            Ok(chosen) => $crate::crossbeam_channel_internal!(@go chosen 0; $arms),
            Err(_) => $otherwise,
        }
    };
    (@select $select:ident $arms:tt [{($time:expr) $otherwise:expr}]) => {
        match $select.select_timeout($time) {
            Ok(chosen) => $crate::crossbeam_channel_internal!(@go chosen 0; $arms),
            Err(_) => $otherwise,
        }
    };

    (@go $chosen:ident $index:expr; [{$kind:ident $end:ident ($($message:expr)?) $p:pat, $body:expr} $($rest:tt)*]) => {
        if $chosen.index() == $index {
            let $p = $chosen.$kind($end $(, $message)?);
            $body
        } else {
            $crate::crossbeam_channel_internal!(@go $chosen $index + 1; [$($rest)*])
        }
    };
    (@go $chosen:ident $index:expr; []) => {{
        drop($chosen);
        unreachable!("an operation that was not added")
    }};

    ($($arms:tt)*) => {
        $crate::crossbeam_channel_internal!(@arms [] [] $($arms)*)
    };
}
