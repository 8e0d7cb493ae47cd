//! What a build begins with and others can move: base images, and images of Docker's daemon.

use crate::stack::{Stack, one_line};

pub(crate) fn are_followed_where_asked(stack: &Stack) {
    let [one, two, _] = stack.images();
    stack.move_tag("base", &one);
    stack.file("app/page", "page");
    let base = format!("{}:base", stack.repository());
    let build = |more: &str| {
        let dockerfile = format!("dockerfile_inline = \"FROM {base}\\nCOPY page /\\n\"");
        stack.image(&format!("  build = {{\n    context = \"./app\"\n    {dockerfile}\n{more}\n  }}"));
    };
    build("");
    stack.apply().unwrap();
    let on_one = stack.digest();
    stack.move_tag("base", &two);
    stack.plans_nothing(&[]);

    build("    track_base_images = true");
    stack.apply().unwrap();
    let on_two = stack.digest();
    assert_ne!(on_two, on_one);
    stack.plans_nothing(&[]);
    stack.plans_nothing(&["-refresh=false"]);

    stack.move_tag("base", &one);
    let plan = one_line(&stack.plan_to_file());
    assert!(plan.contains(&format!("\"{base}\" = \"{two}\" -> \"{one}\"")), "{plan}");
    // The image that was planned is built, and the next plan is told of the next move.
    stack.move_tag("base", &two);
    stack.apply_planned().unwrap();
    assert_eq!(stack.digest(), on_one);
    let plan = one_line(&stack.plan(&[]).unwrap());
    assert!(plan.contains(&format!("\"{base}\" = \"{one}\" -> \"{two}\"")), "{plan}");
    // Who does not look does not see.
    stack.plans_nothing(&["-refresh=false"]);
}

pub(crate) fn come_from_a_daemon(stack: &Stack) {
    let (engine, name) = (stack.lab.engine(), stack.lab.unique("local"));
    let import = |content: &str| {
        let write = |to: &mut dyn std::io::Write| {
            let mut archive = tar::Builder::new(to);
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, "page", content.as_bytes())?;
            Ok(archive.finish()?)
        };
        engine.import(&name, &["CMD [\"/page\"]"], write).unwrap();
        engine.ask(&["image", "inspect", "--format", "{{.Id}}", &name]).unwrap()
    };
    stack.image(&format!("  source = {{ local_image = \"{name}\" }}"));
    let ids = ["one", "two"].map(|content| {
        let id = import(content);
        stack.apply().unwrap();
        // No plan needs the daemon: without it, an image that was pushed is what it was.
        stack.plans_nothing(&[]);
        (id, stack.digest())
    });
    for (id, _) in &ids {
        engine.ask(&["image", "rm", "--force", id]).unwrap();
    }
    assert_ne!(ids[0].1, ids[1].1);
    stack.file("terraform.tfstate", "");
    let error = stack.apply().unwrap_err();
    assert!(error.contains(&format!("has no image `{name}`")), "{error}");
}
