//! The short version of `tools/soak`.

use transputer_tests::Churn;

#[test]
fn thousands_of_processes_leave_nothing_behind() {
    let churn = Churn::new();
    for _ in 0..4 {
        assert_eq!(churn.round(1_000), 1_000);
    }
}
