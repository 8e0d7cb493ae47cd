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
        if text.len() > 2 * MAX_DIGITS as usize {
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
