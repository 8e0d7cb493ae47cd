//! Where a step is written that BuildKit names.

use crate::dockerfile::{Dockerfile, Instruction, Stage};

/// The line of the step that BuildKit names `[build 3/5] RUN make`: in the stage `build` (`stage-1` if the second has
/// no name, nothing if there is one stage only), the third that makes a step. A `FROM` makes one if it names an image.
pub(super) fn line_of(dockerfile: &Dockerfile, step: &str) -> Option<u32> {
    let (place, text) = step.strip_prefix('[')?.split_once("] ")?;
    let mut place = place.split_whitespace().rev();
    let number: usize = place.next()?.split_once('/')?.0.parse().ok()?;
    let (index, stage) = stage(dockerfile, place.next().filter(|name| !name.contains('/')))?;
    let earlier = dockerfile.stages[..index].iter().any(|other| other.name.as_ref() == Some(&stage.base));
    let from = (stage.base != "scratch" && !earlier).then_some(("FROM", stage.lines.0));
    let steps = stage.steps.iter().filter(|step| makes_a_step(&step.instruction));
    let steps = steps.map(|step| (step.instruction.keyword(), step.lines.0));
    let (keyword, line) = from.into_iter().chain(steps).nth(number.checked_sub(1)?)?;
    (text.split(' ').next() == Some(keyword)).then_some(line)
}

fn makes_a_step(instruction: &Instruction) -> bool {
    use Instruction::{Add, Copy, Run, Workdir};
    matches!(instruction, Add(_) | Copy(_) | Run(_) | Workdir(_))
}

fn stage<'a>(dockerfile: &'a Dockerfile, name: Option<&str>) -> Option<(usize, &'a Stage)> {
    let mut stages = dockerfile.stages.iter().enumerate();
    stages.find(|(index, stage)| match (name, &stage.name) {
        (None, _) => true,
        (Some(name), Some(own)) => own.eq_ignore_ascii_case(name),
        (Some(name), None) => name == format!("stage-{index}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKERFILE: &str = "\
# syntax=docker/dockerfile:1
ARG BASE=scratch
FROM --platform=linux/amd64 $BASE AS build
WORKDIR /app

RUN one && \\
    # why
    two
COPY <<EOF /x
RUN not
EOF
RUN three
FROM build
ENV a=b
RUN four
from scratch as Last
COPY --from=build /x /
";

    #[test]
    fn finds_the_line_of_a_step() {
        let dockerfile = Dockerfile::parse(DOCKERFILE).unwrap();
        let check = |step: &str, line: Option<u32>| assert_eq!(line_of(&dockerfile, step), line, "{step}");
        check("[build 1/5] FROM scratch", Some(3));
        check("[build 2/5] WORKDIR /app", Some(4));
        check("[build 3/5] RUN one &&     two", Some(6));
        check("[build 4/5] COPY <<EOF /x", Some(9));
        check("[linux/amd64 build 5/5] RUN three", Some(12));
        check("[stage-1 1/1] RUN four", Some(15));
        check("[last 1/1] COPY --from=build /x /", Some(17));
        check("[build  2/12] WORKDIR /app", Some(4));
        check("[build 3/5] COPY x y", None);
        check("[build 9/9] RUN x", None);
        check("[none 1/1] RUN x", None);
        check("[build 0/1] RUN x", None);
        check("[context debian:12] OCI load from client", None);
        check("[internal] load metadata for x", None);
        check("exporting to image", None);
    }
}
