//! Order: a stable merge sort whose comparison may fail.

use super::super::ast::Term;
use super::super::error::{Failure, error};
use super::super::value::frame::Env;
use super::super::value::{Array, Items, Value, text_order};
use super::Evaluator;
use std::cmp::Ordering;

/// Whether the first comes after the second.
type After<'f, T> = &'f mut dyn FnMut(&T, &T) -> Result<bool, Failure>;

impl Evaluator<'_> {
    pub(super) fn sort(
        &self,
        terms: &[Term],
        input: &Array,
        position: usize,
        env: &Env,
    ) -> Result<Array, Failure> {
        if input.len() <= 1 {
            return Ok(input.clone());
        }
        let sorted = self.merge_sort(input.to_vec(), &mut |left: &Value, right: &Value| {
            self.comes_after(terms, (left, env), (right, env), position)
        })?;
        let mut items = Items::new(&self.meter)?;
        items.extend(&sorted)?;
        items.array()
    }

    pub(super) fn merge_sort<T: Clone>(&self, items: Vec<T>, after: After<'_, T>) -> Result<Vec<T>, Failure> {
        super::super::functions::merge_sort(&self.meter, items, after)
    }

    pub(super) fn comes_after(
        &self,
        terms: &[Term],
        left: (&Value, &Env),
        right: (&Value, &Env),
        position: usize,
    ) -> Result<bool, Failure> {
        for term in terms {
            let left = self.eval(&term.key, left.0, left.1)?;
            let right = self.eval(&term.key, right.0, right.1)?;
            let order = match (&left, &right) {
                (Value::Undefined, Value::Undefined) => continue,
                (Value::Undefined, _) => return Ok(true),
                (_, Value::Undefined) => return Ok(false),
                (Value::Number(left), Value::Number(right)) => {
                    left.partial_cmp(right).unwrap_or(Ordering::Equal)
                }
                (Value::Text(left), Value::Text(right)) => {
                    self.meter.read(left.len().min(right.len()))?;
                    text_order(left, right)
                }
                (Value::Number(_) | Value::Text(_), Value::Number(_) | Value::Text(_)) => {
                    return Err(error("T2007", "an order compares a number with text").or_at(position));
                }
                _ => return Err(error("T2008", "an order goes by numbers or texts only").or_at(position)),
            };
            if order != Ordering::Equal {
                return Ok((order == Ordering::Greater) != term.descending);
            }
        }
        Ok(false)
    }
}
