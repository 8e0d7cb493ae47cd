//! The provider under real Terraform and real OpenTofu, with images in ECR: what a plan says, what an apply does,
//! and what a person reads when something is wrong.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod acceptance;
mod bad_input;
mod bases;
mod copies;
mod emulated;
mod faults;
mod gate;
mod gates;
mod interrupt;
mod lifecycle;
mod moves;
mod numbers;
mod pains;
mod permissions;
mod prunes;
mod remove;
mod replan;
mod repository;
mod secrets;
mod settings;
mod stack;
mod standard;
mod tags;
mod upgrade;
mod why;

use stack::{Cli, Stack};

/// Runs each test with Terraform, any further Terraform that `LAB_TERRAFORM` names, and OpenTofu.
macro_rules! on_each_cli {
    ($($module:ident::$test:ident),* $(,)?) => {
        on_each_cli!(@ terraform Terraform $($module::$test),*);
        on_each_cli!(@ opentofu OpenTofu $($module::$test),*);
    };
    (@ $name:ident $cli:ident $($module:ident::$test:ident),*) => {
        mod $name {
            $(
                #[test]
                #[ignore = "needs the lab: cargo xtask test"]
                fn $test() {
                    for program in super::Cli::$cli.programs() {
                        println!("with {}", program.display());
                        super::$module::$test(&super::Stack::new(super::Cli::$cli, program));
                    }
                }
            )*
        }
    };
}

on_each_cli!(
    acceptance::a_a_plan_needs_no_daemon_and_shows_digests,
    acceptance::c_a_stashed_file_is_named,
    acceptance::d_what_others_did_is_told_from_what_cannot_be_known,
    acceptance::h_five_secrets_are_found_nowhere,
    lifecycle::plans_nothing_twice,
    lifecycle::shows_one_byte_and_sends_one_layer,
    lifecycle::finds_an_image_again,
    lifecycle::sees_what_others_did,
    lifecycle::tags_without_a_build,
    lifecycle::untags_but_never_the_last,
    lifecycle::imports,
    lifecycle::keeps_the_image_when_destroyed,
    lifecycle::keeps_the_image_of_a_targeted_destroy,
    lifecycle::builds_a_dockerfile,
    lifecycle::reads_an_image,
    replan::fills_in_an_unknown_label,
    replan::fills_in_an_unknown_repository,
    replan::replaces_in_either_order,
    replan::plans_here_and_applies_there,
    faults::on_create,
    faults::on_update,
    faults::on_a_change_of_tags,
    faults::on_replace,
    bad_input::refuses_before_anything_is_done,
    bad_input::names_what_the_apply_misses,
    bad_input::names_what_is_not_allowed,
    interrupt::leaves_nothing_half_built,
    interrupt::leaves_nothing_half_sent,
    settings::are_as_in_aws,
    remove::takes_away_what_is_asked_for,
    upgrade::plans_nothing_for_states_of_released_versions,
    upgrade::keeps_the_format_that_an_image_was_hashed_in,
    tags::point_and_move,
    copies::come_and_go,
    copies::come_from_another_registry,
    gates::hold,
    prunes::and_queries,
    moves::take_over_from_docker,
    standard::goes_through_everything,
    bases::are_followed_where_asked,
    bases::come_from_a_daemon,
);
