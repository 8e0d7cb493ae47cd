# Files and units, nothing of one distribution. No secret is in it: the login comes from the instance's role.
locals {
  user_data = "#cloud-config\n${yamlencode({
    packages    = var.packages
    write_files = [for path, file in local.files : { path = path, content = file.content, permissions = file.mode }]
    runcmd = [
      ["systemctl", "daemon-reload"],
      ["systemctl", "enable", "--now", "--no-block", "${var.name}.service", "${var.name}-health.timer"],
    ]
  })}"

  files = {
    "/etc/${var.name}/docker/config.json" = {
      mode    = "0644"
      content = jsonencode({ credHelpers = { (local.registry) = "ecr-login" } })
    }
    "/etc/${var.name}/environment" = {
      mode    = "0600"
      content = join("", [for name, value in var.environment : "${name}=${value}\n"])
    }
    "/etc/systemd/system/${var.name}.service" = {
      mode = "0644"
      content = templatefile("${path.module}/units/service.tftpl", {
        name        = var.name
        image       = var.image.uri
        port        = var.port
        stop_after  = local.single ? 30 : var.load_balancer.deregistration_delay
        log_group   = aws_cloudwatch_log_group.this.name
        log_region  = local.region
        start_limit = var.grace_period
        url         = local.health_url
      })
    }
    "/etc/systemd/system/${var.name}-health.service" = {
      mode    = "0644"
      content = templatefile("${path.module}/units/health.service.tftpl", { name = var.name, url = local.health_url, timeout = var.health_check.timeout })
    }
    "/etc/systemd/system/${var.name}-health.timer" = {
      mode    = "0644"
      content = templatefile("${path.module}/units/health.timer.tftpl", { name = var.name, grace_period = var.grace_period, interval = var.health_check.interval })
    }
    # The ECS-optimized image comes with an agent that looks for a cluster. There is none.
    "/etc/systemd/system/ecs.service.d/off.conf" = {
      mode    = "0644"
      content = "[Unit]\nConditionPathExists=/etc/${var.name}/ecs\n"
    }
  }

  health_url = "http://127.0.0.1:${var.port}${var.health_check.path}"
}
