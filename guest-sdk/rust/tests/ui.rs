//! What the macros say about mistakes.

#[test]
fn mistakes() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/accepted.rs");
    cases.compile_fail("tests/ui/process_*.rs");
    cases.compile_fail("tests/ui/message_*.rs");
    cases.compile_fail("tests/ui/select_*.rs");
}
