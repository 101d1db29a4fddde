//! Index arithmetic: what stands in the brackets of `worker[(i + 1) % workers].left`, and behind `for`.

use std::fmt;

/// Expressions longer than this are no longer readable, and are not read.
const LONGEST: usize = 256;

/// Brackets within brackets.
const DEEPEST: usize = 16;

/// A whole number, calculated from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Number(i64),
    Name(String),
    Negative(Box<Expression>),
    Of(Operator, Box<(Expression, Expression)>),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Plus,
    Minus,
    Times,
    Divided,
    Modulo,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoValue {
    /// Nobody knows this name.
    Unknown(String),
    /// What was divided by nothing.
    DividedByZero,
    TooLarge,
}

impl Expression {
    /// Reads an expression; what is wrong with it otherwise.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it has more than {LONGEST} characters"));
        }
        let mut parser = Parser { rest: text };
        let expression = parser.sum(0)?;
        match parser.next() {
            None => Ok(expression),
            Some(found) => Err(format!("{found:?} does not belong there")),
        }
    }

    /// Its value, where `value` knows the names. `/` and `%` round down, so that `(i - 1) % n` is a place before
    /// `i` in a ring of `n`.
    pub(super) fn value(&self, value: &dyn Fn(&str) -> Option<i64>) -> Result<i64, NoValue> {
        let checked = |result: Option<i64>| result.ok_or(NoValue::TooLarge);
        match self {
            Expression::Number(number) => Ok(*number),
            Expression::Name(name) => value(name).ok_or_else(|| NoValue::Unknown(name.clone())),
            Expression::Negative(of) => checked(of.value(value)?.checked_neg()),
            Expression::Of(operator, operands) => {
                let (a, b) = (operands.0.value(value)?, operands.1.value(value)?);
                match operator {
                    Operator::Divided | Operator::Modulo if b == 0 => Err(NoValue::DividedByZero),
                    Operator::Plus => checked(a.checked_add(b)),
                    Operator::Minus => checked(a.checked_sub(b)),
                    Operator::Times => checked(a.checked_mul(b)),
                    Operator::Divided => checked(a.checked_div_euclid(b)),
                    Operator::Modulo => checked(a.checked_rem_euclid(b)),
                }
            }
        }
    }
}

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoValue::Unknown(name) => write!(f, "nothing is called `{name}` here"),
            NoValue::DividedByZero => f.write_str("it divides by zero"),
            NoValue::TooLarge => f.write_str("it is too large"),
        }
    }
}

struct Parser<'t> {
    rest: &'t str,
}

impl<'t> Parser<'t> {
    /// The next character that is no space, which stays.
    fn next(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, choices: &[(char, Operator)]) -> Option<Operator> {
        let next = self.next()?;
        let (_, operator) = choices.iter().find(|(char, _)| *char == next)?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(*operator)
    }

    fn take_char(&mut self, wanted: char) -> bool {
        let found = self.next() == Some(wanted);
        if found {
            self.rest = &self.rest[wanted.len_utf8()..];
        }
        found
    }

    fn sum(&mut self, depth: usize) -> Result<Expression, String> {
        let mut left = self.product(depth)?;
        while let Some(operator) = self.take(&[('+', Operator::Plus), ('-', Operator::Minus)]) {
            let right = self.product(depth)?;
            left = Expression::Of(operator, Box::new((left, right)));
        }
        Ok(left)
    }

    fn product(&mut self, depth: usize) -> Result<Expression, String> {
        const OPERATORS: [(char, Operator); 3] = [
            ('*', Operator::Times),
            ('/', Operator::Divided),
            ('%', Operator::Modulo),
        ];
        let mut left = self.operand(depth)?;
        while let Some(operator) = self.take(&OPERATORS) {
            let right = self.operand(depth)?;
            left = Expression::Of(operator, Box::new((left, right)));
        }
        Ok(left)
    }

    fn operand(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > DEEPEST {
            return Err(format!("it is nested more than {DEEPEST} deep"));
        }
        if self.take_char('(') {
            let inner = self.sum(depth + 1)?;
            return match self.take_char(')') {
                true => Ok(inner),
                false => Err("a `(` is not closed".to_owned()),
            };
        }
        if self.take_char('-') {
            return Ok(Expression::Negative(Box::new(self.operand(depth + 1)?)));
        }
        match self.next() {
            Some(next) if next.is_ascii_digit() => {
                let number = self.while_(|char| char.is_ascii_digit());
                let number = number.parse();
                number
                    .map(Expression::Number)
                    .map_err(|_| "a number is too large".to_owned())
            }
            Some(next) if next.is_alphabetic() || next == '_' => {
                let name = self.while_(in_variable);
                Ok(Expression::Name(name.to_owned()))
            }
            Some(found) => Err(format!("{found:?} stands where a number or a name belongs")),
            None => Err("a number or a name is missing".to_owned()),
        }
    }

    fn while_(&mut self, belongs: fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|char| !belongs(char));
        let (taken, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }
}

/// A `-` would be a minus.
pub(super) fn in_variable(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

#[cfg(test)]
mod tests {
    use super::{Expression, NoValue};

    fn value(text: &str) -> Result<i64, String> {
        let names = |name: &str| match name {
            "i" => Some(3),
            "n" => Some(4),
            _ => None,
        };
        let expression = Expression::parse(text)?;
        expression.value(&names).map_err(|fault| fault.to_string())
    }

    #[test]
    fn arithmetic() {
        for (text, expected) in [
            ("7", 7),
            ("i", 3),
            ("(i + 1) % n", 0),
            ("(0 - 1) % n", 3),
            ("-1 % n", 3),
            ("2 * i + 1", 7),
            ("1 + 2 * i", 7),
            ("(i - 1) / 2", 1),
            ("10-3-2", 5),
            (" ( ( i ) ) ", 3),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn mistakes() {
        for (text, expected) in [
            ("", "missing"),
            ("i +", "missing"),
            ("(i", "not closed"),
            ("i)", "does not belong"),
            ("2i", "does not belong"),
            ("*", "where a number"),
            ("m", "nothing is called `m`"),
            ("i % 0", "divides by zero"),
            ("9223372036854775807 + 1", "too large"),
            ("9223372036854775808", "too large"),
            (&"(".repeat(100), "deep"),
            (&"1+".repeat(1000), "more than 256"),
        ] {
            let found = value(text).expect_err(text);
            assert!(found.contains(expected), "{text}: {found}");
        }
        assert_eq!(
            Expression::parse("x")
                .expect("it is a name")
                .value(&|_| None),
            Err(NoValue::Unknown("x".to_owned()))
        );
    }
}
