//! Nodes from their parts: steps joined to paths, filters and bindings where they belong.

use super::super::ast::{Kind, Name, Node, Pairs, Stage, Term};
use super::super::error::Invalid;
use super::ancestry::Ancestry;
use super::{Parsed, Parser};

/// Levels of nodes. Each costs stack where a tree is walked.
const HEIGHT_MAX: usize = 400;

pub(super) fn of_height(kind: Kind, height: usize, position: usize) -> Parsed {
    if height > HEIGHT_MAX {
        return Err(Invalid::new("the expression has more than 400 levels", position));
    }
    let mut node = Node::new(kind, position);
    node.height = height;
    Ok(node)
}

/// `function(…)` defines one.
pub(super) fn is_function_word(node: &Node) -> bool {
    let Kind::Path { steps, .. } = &node.kind else {
        return false;
    };
    matches!(&steps[..], [Node { kind: Kind::Name(name), .. }] if matches!(&**name, "function" | "λ"))
}

/// `left[]`
pub(super) fn keep_array(mut left: Node) -> Node {
    left.keep_array = true;
    if let Kind::Path {
        steps,
        keep_singleton,
    } = &mut left.kind
    {
        let single = steps.len() == 1;
        if let Some(last) = steps.last_mut() {
            let named = single && matches!(last.kind, Kind::Name(_)) && last.step.focus.is_none();
            *keep_singleton |= named;
            last.keep_array |= named || last.step.focus.is_some();
        }
    }
    left
}

/// `left@$name` and `left#$name`
pub(super) fn binding(mut left: Node, sign: &str, name: Name, position: usize) -> Parsed {
    let is_path = matches!(left.kind, Kind::Path { .. });
    if sign == "#" && !is_path {
        let stages = std::mem::take(&mut left.predicates)
            .into_iter()
            .map(Stage::Filter);
        left.step.stages.extend(stages);
        left = Node::path(left);
    }
    let keep_array = left.keep_array;
    let step = match &mut left.kind {
        Kind::Path { steps, .. } => match steps.last_mut() {
            Some(step) => step,
            None => return Err(Invalid::new("a path has no steps", position)),
        },
        _ => &mut left,
    };
    step.step.tuple = true;
    if sign == "#" {
        if step.step.stages.is_empty() {
            step.step.index = Some(name);
        } else {
            step.step.stages.push(Stage::Index(name));
        }
        return Ok(left);
    }
    if !step.step.stages.is_empty() || !step.predicates.is_empty() {
        return Err(Invalid::new(
            "`@` has to come before the filters of its step",
            position,
        ));
    }
    if matches!(step.kind, Kind::Sort(_)) {
        return Err(Invalid::new(
            "`@` has to come before the order of its step",
            position,
        ));
    }
    step.keep_array |= keep_array;
    step.step.focus = Some(name);
    Ok(left)
}

impl Parser<'_> {
    /// A node over its parts, which looks for the ancestors that they look for.
    pub(super) fn over(position: usize, parts: Vec<Node>, kind: impl FnOnce(Vec<Node>) -> Kind) -> Parsed {
        let height = 1 + parts.iter().map(|part| part.height).max().unwrap_or(0);
        let mut above = Node::new(Kind::Null, position);
        for part in &parts {
            Ancestry::push(&mut above, part);
        }
        let kind = kind(parts);
        let inherits = !matches!(kind, Kind::Lambda(_));
        let mut node = of_height(kind, height, position)?;
        if inherits {
            node.seeking = above.seeking;
        }
        Ok(node)
    }

    pub(super) fn pair(
        both: Box<(Node, Node)>,
        position: usize,
        kind: impl FnOnce(Box<(Node, Node)>) -> Kind,
    ) -> Parsed {
        let height = 1 + both.0.height.max(both.1.height);
        let mut above = Node::new(Kind::Null, position);
        Ancestry::push(&mut above, &both.0);
        Ancestry::push(&mut above, &both.1);
        let mut node = of_height(kind(both), height, position)?;
        node.seeking = above.seeking;
        Ok(node)
    }

    pub(super) fn apply(both: Box<(Node, Node)>, position: usize) -> Parsed {
        let keep_array = both.0.keep_array || both.1.keep_array;
        let height = 1 + both.0.height.max(both.1.height);
        let mut node = of_height(Kind::Apply(both), height, position)?;
        node.keep_array = keep_array;
        Ok(node)
    }

    pub(super) fn choice(test: Node, then: Node, otherwise: Option<Node>, position: usize) -> Parsed {
        let mut above = Node::new(Kind::Null, position);
        let parts = [Some(&test), Some(&then), otherwise.as_ref()];
        let height = 1 + parts.iter().flatten().map(|part| part.height).max().unwrap_or(0);
        for part in parts.into_iter().flatten() {
            Ancestry::push(&mut above, part);
        }
        let kind = Kind::Condition(Box::new((test, then)), otherwise.map(Box::new));
        let mut node = of_height(kind, height, position)?;
        node.seeking = above.seeking;
        Ok(node)
    }

    pub(super) fn negate(mut operand: Node, position: usize) -> Parsed {
        if let Kind::Number(number) = &mut operand.kind {
            *number = -*number;
            return Ok(operand);
        }
        Self::over(position, vec![operand], |mut parts| match parts.pop() {
            Some(operand) => Kind::Negate(Box::new(operand)),
            None => Kind::Null,
        })
    }

    pub(super) fn object(pairs: Pairs) -> Parsed {
        let mut above = Node::new(Kind::Null, pairs.position);
        let height = 1 + pairs_height(&pairs);
        for (key, value) in &pairs.pairs {
            Ancestry::push(&mut above, key);
            Ancestry::push(&mut above, value);
        }
        let position = pairs.position;
        let mut node = of_height(Kind::Object(pairs), height, position)?;
        node.seeking = above.seeking;
        Ok(node)
    }

    pub(super) fn called(procedure: Node, arguments: Vec<Option<Node>>, position: usize) -> Parsed {
        let mut above = Node::new(Kind::Null, position);
        for argument in arguments.iter().flatten() {
            Ancestry::push(&mut above, argument);
        }
        let parts = arguments.iter().flatten().chain([&procedure]);
        let height = 1 + parts.map(|part| part.height).max().unwrap_or(0);
        let procedure = Box::new(procedure);
        let kind = if arguments.iter().all(Option::is_some) {
            Kind::Call(procedure, arguments.into_iter().flatten().collect())
        } else {
            Kind::Partial(procedure, arguments)
        };
        let mut node = of_height(kind, height, position)?;
        node.seeking = above.seeking;
        Ok(node)
    }

    /// `left.right`
    pub(super) fn dot(&mut self, left: Node, mut right: Node, position: usize) -> Parsed {
        let mut path = match left.kind {
            Kind::Path { .. } => left,
            Kind::Parent(slot) => {
                let mut path = Node::path(left);
                path.seeking.push(slot);
                path
            }
            _ => Node::path(left),
        };
        path.height = path.height.max(right.height + 1);
        if path.height > HEIGHT_MAX {
            return Err(Invalid::new("the expression has more than 400 levels", position));
        }
        if let Kind::Path {
            steps,
            keep_singleton,
        } = &mut path.kind
        {
            if let Kind::Path { steps: more, .. } = right.kind {
                steps.extend(more);
            } else {
                let stages = std::mem::take(&mut right.predicates)
                    .into_iter()
                    .map(Stage::Filter);
                right.step.stages.extend(stages);
                steps.push(right);
            }
            for step in steps.iter_mut() {
                match &step.kind {
                    Kind::Number(_) | Kind::Bool(_) | Kind::Null => {
                        return Err(Invalid::new(
                            "numbers, true, false and null cannot be steps of a path; put a name into backquotes",
                            step.position,
                        ));
                    }
                    Kind::Text(name) => step.kind = Kind::Name(Name::clone(name)),
                    _ => {}
                }
            }
            *keep_singleton |= steps.iter().any(|step| step.keep_array);
            if let Some(Kind::Array { whole, .. }) = steps.first_mut().map(|step| &mut step.kind) {
                *whole = true;
            }
            if let Some(Kind::Array { whole, .. }) = steps.last_mut().map(|step| &mut step.kind) {
                *whole = true;
            }
        }
        self.ancestry.resolve(&mut path)?;
        Ok(path)
    }

    /// `left[filter]`
    pub(super) fn filter(&mut self, mut left: Node, filter: Node, position: usize) -> Parsed {
        let height = 1 + filter.height;
        let is_path = matches!(left.kind, Kind::Path { .. });
        let step = match &mut left.kind {
            Kind::Path { steps, .. } => steps.last_mut(),
            _ => None,
        };
        let step = match step {
            Some(step) => step,
            None => &mut left,
        };
        if step.group.is_some() {
            return Err(Invalid::new("a filter cannot follow a grouping", position));
        }
        self.ancestry.filter(step, &filter)?;
        step.height = step.height.max(height);
        if is_path {
            step.step.stages.push(Stage::Filter(filter));
        } else {
            step.predicates.push(filter);
        }
        left.height = left.height.max(height + 1);
        if left.height > HEIGHT_MAX {
            return Err(Invalid::new("the expression has more than 400 levels", position));
        }
        Ok(left)
    }

    /// `left{key: value}`
    pub(super) fn group(mut left: Node, pairs: Pairs, position: usize) -> Parsed {
        if left.group.is_some() {
            return Err(Invalid::new("a step can have one grouping only", position));
        }
        left.height = left.height.max(1 + pairs_height(&pairs));
        if left.height > HEIGHT_MAX {
            return Err(Invalid::new("the expression has more than 400 levels", position));
        }
        left.group = Some(Box::new(pairs));
        Ok(left)
    }

    /// `left^(terms)`
    pub(super) fn order(&mut self, left: Node, terms: Vec<Term>, position: usize) -> Parsed {
        let mut path = match left.kind {
            Kind::Path { .. } => left,
            _ => Node::path(left),
        };
        let height = 2 + terms.iter().map(|term| term.key.height).max().unwrap_or(0);
        let mut above = Node::new(Kind::Null, position);
        for term in &terms {
            Ancestry::push(&mut above, &term.key);
        }
        let mut step = of_height(Kind::Sort(terms), height, position)?;
        step.seeking = above.seeking;
        if let Kind::Path { steps, .. } = &mut path.kind {
            steps.push(step);
        }
        path.height = path.height.max(height + 1);
        self.ancestry.resolve(&mut path)?;
        Ok(path)
    }
}

fn pairs_height(pairs: &Pairs) -> usize {
    let heights = pairs
        .pairs
        .iter()
        .map(|(key, value)| key.height.max(value.height));
    heights.max().unwrap_or(0)
}
