//! How much work a component makes for the compiler.

use wasmparser::{FunctionBody, Operator, Parser, Payload};

use super::CompileLimits;

/// So many joins make as much work as one variable in a block.
const JOINS: u64 = 16;

/// Refuses a component that makes too much work. It need not be valid; what cannot be read is left to the
/// validator.
///
/// # Errors
/// Which limit it is over, and by what.
pub(crate) fn check(component: &[u8], limits: &CompileLimits) -> Result<(), String> {
    let (mut functions, mut work) = (0, 0_u64);
    for payload in Parser::new(0).parse_all(component) {
        let Ok(payload) = payload else {
            return Ok(());
        };
        match payload {
            Payload::CodeSectionStart { count, .. } => {
                functions += u64::from(count);
                over("functions", functions, limits.functions)?;
            }
            Payload::CodeSectionEntry(body) => {
                let Ok(of_function) = function_work(&body) else {
                    return Ok(());
                };
                let at = body.range().start;
                over(
                    &format!("units of work in its function at byte {at}"),
                    of_function,
                    limits.function_work,
                )?;
                work = work.saturating_add(of_function);
                over("units of work in all of its functions", work, limits.work)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a component by its size alone.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_size(bytes: u64, limits: &CompileLimits) -> Result<(), String> {
    over("bytes", bytes, limits.bytes)
}

fn over(what: &str, found: u64, limit: u64) -> Result<(), String> {
    if found <= limit {
        return Ok(());
    }
    Err(format!(
        "it has {found} {what} or more, over the limit of {limit}"
    ))
}

/// The compiler may look for each variable at the beginning of each block, and joins the blocks around a
/// branch table with each of its targets, which is cheaper.
fn function_work(body: &FunctionBody<'_>) -> wasmparser::Result<u64> {
    let mut locals = 0_u64;
    for local in body.get_locals_reader()? {
        locals += u64::from(local?.0);
    }
    let (mut instructions, mut blocks, mut depth, mut joins) = (0_u64, 1_u64, 0_u64, 0_u64);
    for operator in body.get_operators_reader()? {
        instructions += 1;
        match operator? {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                blocks += 1;
                depth += 1;
            }
            Operator::Else => blocks += 1,
            Operator::End => depth = depth.saturating_sub(1),
            Operator::BrIf { .. } => blocks += 1,
            Operator::BrTable { targets } => {
                blocks += 1;
                joins += (u64::from(targets.len()) + 1) * (depth + 1);
            }
            _ => {}
        }
    }
    Ok(instructions + locals.saturating_mul(blocks) + joins / JOINS)
}

#[cfg(test)]
mod tests {
    use super::{CompileLimits, check, check_size};

    fn module(text: &str) -> Vec<u8> {
        wat::parse_str(text).expect("a module")
    }

    #[test]
    fn work_is_counted_as_documented() {
        // 5 instructions; 3 local variables in 3 blocks; 16 targets at a depth of 2.
        let targets = "0 ".repeat(15);
        let module = module(&format!(
            "(module (func (local i32 i64) (local f32) (block (br_table {targets} 0 (i32.const 0)))))"
        ));
        let limits = CompileLimits::default();
        let work = 5 + 3 * 3 + 2;
        assert_eq!(check(&module, &limits.function_work(work)), Ok(()));
        let refused = check(&module, &limits.function_work(work - 1));
        assert!(refused.is_err_and(|why| why.contains(&format!("{work} units"))));
    }

    #[test]
    fn each_limit_is_named() {
        let module = module("(module (func) (func))");
        let limits = CompileLimits::default();
        for (limits, named) in [
            (limits.functions(1), "2 functions"),
            (limits.work(1), "2 units of work in all"),
        ] {
            let refused = check(&module, &limits).expect_err("it is over");
            assert!(refused.contains(named), "{refused}");
        }
        assert!(check_size(4, &limits.bytes(3)).is_err());
        assert_eq!(check_size(4, &limits), Ok(()));
    }
}
