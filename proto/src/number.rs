//! Terraform's numbers: decimals of any precision, without loss.

use std::{cmp::Ordering, fmt, str::FromStr};

use bigdecimal::{BigDecimal, ToPrimitive, Zero};

/// A number. Equal numbers are equal whatever they were written as (`1`, `1.0`, `1e0`).
///
/// Limit: magnitudes from 1e-5000 to 1e5000 and 5000 digits, so that no input makes us
/// write out a number that fills the memory. Terraform itself computes with about 154 digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(Kind);

/// In ascending order, which the derived `Ord` relies on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    NegativeInfinity,
    Finite(BigDecimal),
    PositiveInfinity,
}

/// Why a text or float is no [`Number`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a number that can be handled: `{0}`")]
pub struct NumberError(String);

const MAX_DIGITS: i64 = 5000;

/// As long as a number can be that is written out: digits, a sign, zeros, a point.
const MAX_TEXT: usize = 10_010;

impl Number {
    /// The exact value of a float, with all digits its bits stand for (0.1 has 55 of them).
    /// This is how Terraform reads floats on the wire; [`Number::from`] reads them as people do.
    ///
    /// # Errors
    /// For "not a number".
    pub fn exact(float: f64) -> Result<Self, NumberError> {
        if float.is_infinite() {
            return Ok(Self(if float > 0.0 { Kind::PositiveInfinity } else { Kind::NegativeInfinity }));
        }
        let decimal = BigDecimal::try_from(float).map_err(|_| NumberError(float.to_string()))?;
        Ok(Self::finite(&decimal))
    }

    /// As `i64`, if it is exactly that.
    pub fn as_i64(&self) -> Option<i64> {
        self.integer()?.to_i64()
    }

    /// As `u64`, if it is exactly that.
    pub fn as_u64(&self) -> Option<u64> {
        self.integer()?.to_u64()
    }

    /// The nearest `f64`; may lose digits.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Kind::NegativeInfinity => f64::NEG_INFINITY,
            Kind::PositiveInfinity => f64::INFINITY,
            Kind::Finite(decimal) => decimal.to_scientific_notation().parse().unwrap_or(f64::NAN),
        }
    }

    /// As `f64`, if no digit is lost.
    pub(crate) fn as_exact_f64(&self) -> Option<f64> {
        let float = self.to_f64();
        (Self::exact(float).ok()? == *self).then_some(float)
    }

    pub(crate) fn is_finite(&self) -> bool {
        matches!(self.0, Kind::Finite(_))
    }

    fn integer(&self) -> Option<&BigDecimal> {
        match &self.0 {
            Kind::Finite(decimal) if decimal.is_integer() => Some(decimal),
            _ => None,
        }
    }

    fn finite(decimal: &BigDecimal) -> Self {
        Self(Kind::Finite(decimal.normalized()))
    }
}

impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let refused = || NumberError(text.chars().take(40).collect());
        if text.len() > MAX_TEXT {
            return Err(refused());
        }
        let decimal = BigDecimal::from_str(text).map_err(|_| refused())?;
        if decimal.is_zero() {
            return Ok(Self::from(0_i64));
        }
        let digits = i64::try_from(decimal.digits()).map_err(|_| refused())?;
        let (_, scale) = decimal.as_bigint_and_scale();
        let magnitude = digits.checked_sub(scale).ok_or_else(refused)?;
        if digits > MAX_DIGITS || magnitude.abs() > MAX_DIGITS {
            return Err(refused());
        }
        Ok(Self::finite(&decimal))
    }
}

/// What a literal without a suffix is.
impl From<i32> for Number {
    fn from(number: i32) -> Self {
        i64::from(number).into()
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self::finite(&BigDecimal::from(number))
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::finite(&BigDecimal::from(number))
    }
}

/// Reads a float the way it is printed: 0.1 is a tenth.
///
/// # Errors
/// For "not a number".
impl TryFrom<f64> for Number {
    type Error = NumberError;

    fn try_from(float: f64) -> Result<Self, NumberError> {
        if float.is_infinite() { Self::exact(float) } else { float.to_string().parse() }
    }
}

/// Plain decimal digits, never an exponent.
impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::NegativeInfinity => out.write_str("-inf"),
            Kind::PositiveInfinity => out.write_str("inf"),
            Kind::Finite(decimal) => out.write_str(&decimal.to_plain_string()),
        }
    }
}

impl PartialEq<i64> for Number {
    fn eq(&self, other: &i64) -> bool {
        self.as_i64() == Some(*other)
    }
}

impl PartialOrd<i64> for Number {
    fn partial_cmp(&self, other: &i64) -> Option<Ordering> {
        Some(self.cmp(&Self::from(*other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn equal_numbers_are_equal_however_written() {
        for (one, other) in [("1", "1.0"), ("100", "1e2"), ("0.10", "0.1"), ("-0", "0"), ("0e99", "0")] {
            assert_eq!(number(one), number(other));
        }
        for (small, big) in [("-1", "0"), ("0.1", "0.10000000000000001"), ("9", "1e1")] {
            assert!(number(small) < number(big), "{small} < {big}");
        }
        assert!(Number::exact(f64::NEG_INFINITY).unwrap() < number("-1e4999"));
    }

    #[test]
    fn text_has_no_exponent() {
        for (input, expected) in [
            ("1e21", "1000000000000000000000"),
            ("1.50", "1.5"),
            ("-1e-7", "-0.0000001"),
            ("1797693134862315708145274237317043567981", "1797693134862315708145274237317043567981"),
        ] {
            assert_eq!(number(input).to_string(), expected);
        }
    }

    #[test]
    fn floats_are_read_as_printed_or_exactly() {
        assert_eq!(Number::try_from(0.1).unwrap(), number("0.1"));
        let exact = "0.1000000000000000055511151231257827021181583404541015625";
        assert_eq!(Number::exact(0.1).unwrap().to_string(), exact);
        assert_eq!(Number::exact(5e-324).unwrap().as_exact_f64(), Some(5e-324));
        assert_eq!(Number::try_from(f64::MAX).unwrap().to_f64().to_bits(), f64::MAX.to_bits());
        assert!(Number::exact(f64::NAN).is_err() && Number::try_from(f64::NAN).is_err());
    }

    #[test]
    fn narrower_types_get_only_what_fits() {
        for (input, signed, unsigned, float) in [
            ("36", Some(36), Some(36), Some(36.0)),
            ("-1", Some(-1), None, Some(-1.0)),
            ("9223372036854775808", None, Some(1 << 63), Some(9_223_372_036_854_775_808.0)),
            ("1.5", None, None, Some(1.5)),
            ("0.1", None, None, None),
            ("1e400", None, None, None),
        ] {
            let number = number(input);
            let fits = (number.as_i64(), number.as_u64(), number.as_exact_f64());
            assert_eq!(fits, (signed, unsigned, float), "{input}");
        }
    }

    #[test]
    fn numbers_that_would_fill_the_memory_are_refused() {
        let long = "9".repeat(5001);
        for input in ["1e5001", "1e-5002", "1e999999999999", "1e-9223372036854775808", "", "x", "0x10", &long]
        {
            assert!(input.parse::<Number>().is_err(), "{input}");
        }
        assert!("9".repeat(5000).parse::<Number>().is_ok());
    }
}
