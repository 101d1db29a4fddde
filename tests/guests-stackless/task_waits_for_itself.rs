//! Has tasks that wait for each other.

use transputer_guest::stackless::spawn_local;

/// Waits for nothing but another task, which waits for it.
#[transputer_guest::process]
async fn task_waits_for_itself() {
    let never = spawn_local(std::future::pending::<()>());
    never.await;
}
