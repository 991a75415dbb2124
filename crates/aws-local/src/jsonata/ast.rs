//! An expression after parsing: what an evaluation walks.

use std::sync::Arc;

use super::pattern::Pattern;
use super::signature::Signature;

/// A name of a field or variable, or a text.
pub(super) type Name = Arc<str>;

/// A whole expression.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) root: Node,
    /// The variable in which each use of `%` finds its ancestor.
    pub(super) ancestors: Vec<Name>,
}

/// One part of an expression.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The place of its operator or first character in the text.
    pub(super) position: usize,
    /// `[]` follows: a single result stays an array.
    pub(super) keep_array: bool,
    /// Filters, where this is no path.
    pub(super) predicates: Vec<Node>,
    pub(super) group: Option<Box<Pairs>>,
    pub(super) step: Step,
    /// Uses of `%` whose ancestor is further out.
    pub(super) seeking: Vec<usize>,
    /// Levels of nodes, this one included.
    pub(super) height: usize,
}

/// What a node has as a step of a path.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) stages: Vec<Stage>,
    /// `@$name`: binds the value and leaves the context.
    pub(super) focus: Option<Name>,
    /// `#$name`: binds the place in the sequence.
    pub(super) index: Option<Name>,
    /// The ancestor that `%` in a later step looks for is the input of this one.
    pub(super) ancestor: Option<usize>,
    /// Bindings go with each value from here on.
    pub(super) tuple: bool,
}

#[derive(Debug)]
pub(super) enum Stage {
    Filter(Node),
    Index(Name),
}

/// Keys and values of an object or a grouping.
#[derive(Debug)]
pub(super) struct Pairs {
    pub(super) pairs: Vec<(Node, Node)>,
    pub(super) position: usize,
}

#[derive(Debug)]
pub(super) enum Kind {
    Path {
        steps: Vec<Node>,
        keep_singleton: bool,
    },
    Name(Name),
    Text(Name),
    Number(f64),
    Bool(bool),
    Null,
    Wildcard,
    Descendants,
    Parent(usize),
    /// `$`: the empty name; `$$`: the name `$`.
    Variable(Name),
    Regex(Arc<Pattern>),
    Binary(Operator, Box<(Node, Node)>),
    Negate(Box<Node>),
    Array {
        items: Vec<Node>,
        whole: bool,
    },
    Object(Pairs),
    Block {
        parts: Vec<Node>,
        whole: bool,
    },
    Bind(Name, Box<Node>),
    Condition(Box<(Node, Node)>, Option<Box<Node>>),
    /// `a ?: b`
    Default(Box<(Node, Node)>),
    /// `a ?? b`
    Coalesce(Box<(Node, Node)>),
    Lambda(Arc<Lambda>),
    Call(Box<Node>, Vec<Node>),
    /// A call with `?` in the place of arguments.
    Partial(Box<Node>, Vec<Option<Node>>),
    Apply(Box<(Node, Node)>),
    Sort(Vec<Term>),
    Transform(Arc<Transform>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Concatenate,
    And,
    Or,
    In,
    Range,
}

/// `function($a, $b)<signature>{ body }`
#[derive(Debug)]
pub(super) struct Lambda {
    pub(super) parameters: Vec<Name>,
    pub(super) signature: Option<Signature>,
    pub(super) body: Node,
}

/// `|pattern|update, delete|`
#[derive(Debug)]
pub(super) struct Transform {
    pub(super) pattern: Node,
    pub(super) update: Node,
    pub(super) delete: Option<Node>,
    pub(super) position: usize,
}

/// One key of an order.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) descending: bool,
    pub(super) key: Node,
}

impl Node {
    pub(super) fn new(kind: Kind, position: usize) -> Self {
        Self {
            kind,
            position,
            keep_array: false,
            predicates: Vec::new(),
            group: None,
            step: Step::default(),
            seeking: Vec::new(),
            height: 1,
        }
    }

    /// A path of one step.
    pub(super) fn path(step: Node) -> Self {
        let (position, height) = (step.position, step.height + 1);
        let mut path = Self::new(
            Kind::Path {
                steps: vec![step],
                keep_singleton: false,
            },
            position,
        );
        path.height = height;
        path
    }

    /// What an array constructor in a path's first or last step is, and what contains such a path.
    pub(super) fn is_whole(&self) -> bool {
        match &self.kind {
            Kind::Array { whole, .. } | Kind::Block { whole, .. } => *whole,
            Kind::Path { steps, .. } => steps.first().is_some_and(Node::is_whole),
            _ => false,
        }
    }
}
