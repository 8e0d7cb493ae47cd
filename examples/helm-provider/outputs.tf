output "revision" {
  description = "Revision of the release."
  value       = helm_release.web.metadata[0].revision
}
