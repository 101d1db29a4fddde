//! Prints.

/// Prints lines, one of them in pieces, and one that is not UTF-8.
#[transputer_guest::process]
async fn prints() {
    use std::io::Write as _;

    println!("to standard output");
    eprintln!("to standard error");
    print!("in two ");
    println!("pieces");
    let written = std::io::stdout().write_all(b"odd: \xff\n");
    assert!(written.is_ok());
    println!("{}", "long ".repeat(1_000));
}
