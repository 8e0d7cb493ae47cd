//! Where a step is written that BuildKit names.

use crate::dockerfile::{Dockerfile, Instruction, Stage};

/// The line of the step that BuildKit names `[build 3/5] RUN make`: in the stage `build` (`stage-1` if the second has
/// no name, nothing if there is one stage only), the third that makes a step. A `FROM` makes one if it names an image.
pub(super) fn line_of(dockerfile: &Dockerfile, step: &str) -> Option<u32> {
    let (number, _, text) = read(step)?;
    let (keyword, line) = *steps(dockerfile, step)?.get(number.checked_sub(1)?)?;
    (text.split(' ').next() == Some(keyword)).then_some(line)
}

/// Whether the stage of this step has more steps than its Dockerfile: those that its base image brings by `ONBUILD`.
pub(super) fn has_more(dockerfile: &Dockerfile, step: &str) -> bool {
    let (Some((_, all, _)), Some(ours)) = (read(step), steps(dockerfile, step)) else { return false };
    all > ours.len()
}

/// Which step of how many it is, and what it says.
fn read(step: &str) -> Option<(usize, usize, &str)> {
    let (place, text) = step.strip_prefix('[')?.split_once("] ")?;
    let (number, all) = place.split_whitespace().next_back()?.split_once('/')?;
    Some((number.parse().ok()?, all.parse().ok()?, text))
}

/// Keywords and lines of what makes a step in the stage of this step.
fn steps(dockerfile: &Dockerfile, step: &str) -> Option<Vec<(&'static str, u32)>> {
    let (place, _) = step.strip_prefix('[')?.split_once("] ")?;
    let name = place.split_whitespace().rev().nth(1).filter(|name| !name.contains('/'));
    let (index, stage) = stage(dockerfile, name)?;
    let earlier = dockerfile.stages[..index].iter().any(|other| other.name.as_ref() == Some(&stage.base));
    let from = (stage.base != "scratch" && !earlier).then_some(("FROM", stage.lines.0));
    let steps = stage.steps.iter().filter(|step| makes_a_step(&step.instruction));
    Some(from.into_iter().chain(steps.map(|step| (step.instruction.keyword(), step.lines.0))).collect())
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

    #[test]
    fn notices_steps_of_a_base_image() {
        let dockerfile = Dockerfile::parse(DOCKERFILE).unwrap();
        let check = |step: &str, more: bool| assert_eq!(has_more(&dockerfile, step), more, "{step}");
        check("[build 5/5] RUN three", false);
        check("[build 2/6] COPY . /all", true);
        check("[linux/amd64 last 1/1] COPY --from=build /x /", false);
        check("[internal] load metadata for x", false);
    }
}
