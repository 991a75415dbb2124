//! Arguments against a signature: the context for one that is missing, an array for a single value.

use std::rc::Rc;

use super::error::{Failure, error};
use super::meter::Meter;
use super::signature::{Parameter, Signature};
use super::value::{Items, Value};

/// The arguments that the function gets, one for each parameter; `name` is for messages.
pub(super) fn check(
    meter: &Rc<Meter>,
    signature: &Signature,
    arguments: Vec<Value>,
    context: &Value,
    name: &str,
) -> Result<Vec<Value>, Failure> {
    let letters: Vec<char> = arguments.iter().map(Value::letter).collect();
    let Some(counts) = fit(meter, &signature.parameters, &letters)? else {
        return Err(misfit(signature, &arguments, &letters, name));
    };
    let mut checked = Vec::with_capacity(signature.parameters.len());
    let mut given = arguments.into_iter().enumerate();
    for (parameter, count) in signature.parameters.iter().zip(counts) {
        if count == 0 {
            checked.push(left_out(parameter, context, checked.len() + 1, name)?);
        }
        for (index, argument) in given.by_ref().take(count) {
            checked.push(if parameter.array {
                array(meter, parameter, argument, index + 1, name)?
            } else {
                argument
            });
        }
    }
    Ok(checked)
}

/// How many arguments each parameter takes: as many as it can. Each attempt is work, since there can be very many.
fn fit(meter: &Meter, parameters: &[Parameter], letters: &[char]) -> Result<Option<Vec<usize>>, Failure> {
    meter.work(1)?;
    let Some((parameter, later)) = parameters.split_first() else {
        return Ok(letters.is_empty().then(Vec::new));
    };
    let fitting = letters
        .iter()
        .take_while(|letter| parameter.types.contains(**letter))
        .count();
    let most = if parameter.repeated {
        fitting
    } else {
        fitting.min(1)
    };
    for count in (usize::from(!parameter.optional)..=most).rev() {
        if let Some(mut counts) = fit(meter, later, &letters[count..])? {
            counts.insert(0, count);
            return Ok(Some(counts));
        }
    }
    Ok(None)
}

fn left_out(parameter: &Parameter, context: &Value, index: usize, name: &str) -> Result<Value, Failure> {
    if !parameter.context {
        return Ok(Value::Undefined);
    }
    if parameter.types.contains(context.letter()) {
        return Ok(context.clone());
    }
    Err(error(
        "T0411",
        format!(
            "argument {index} of `{name}` is missing, and the context, which is {}, cannot be it",
            context.what()
        ),
    ))
}

fn array(
    meter: &Rc<Meter>,
    parameter: &Parameter,
    argument: Value,
    index: usize,
    name: &str,
) -> Result<Value, Failure> {
    let wrong = |value: &Value| match parameter.items {
        Some(item) => value.letter() != item,
        None => false,
    };
    let (bad, argument) = match argument {
        Value::Undefined => (false, Value::Undefined),
        Value::Array(array) => {
            meter.work(array.len() / 16)?;
            (array.iter().any(wrong), Value::Array(array))
        }
        single => {
            let bad = wrong(&single);
            let mut items = Items::new(meter)?;
            items.push(single)?;
            (bad, Value::Array(items.array()?))
        }
    };
    if bad {
        let items = parameter.items.map_or("values", plural);
        return Err(error(
            "T0412",
            format!("argument {index} of `{name}` has to be an array of {items}"),
        ));
    }
    Ok(argument)
}

fn plural(letter: char) -> &'static str {
    match letter {
        's' => "texts",
        'n' => "numbers",
        'b' => "true or false",
        'o' => "objects",
        'a' => "arrays",
        'f' => "functions",
        _ => "values",
    }
}

/// Which argument is the first that no parameter takes.
fn misfit(signature: &Signature, arguments: &[Value], letters: &[char], name: &str) -> Failure {
    let mut taken = 0;
    for parameter in &signature.parameters {
        if letters
            .get(taken)
            .is_some_and(|letter| parameter.types.contains(*letter))
        {
            taken += 1;
        } else if !parameter.optional {
            break;
        }
    }
    let what = arguments.get(taken).map_or("missing", Value::what);
    error(
        "T0410",
        format!(
            "argument {} of `{name}` is {what}, which the function does not take",
            taken + 1
        ),
    )
}
