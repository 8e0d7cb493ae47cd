locals {
  deploys = var.deploy == null ? {} : { deploy = var.deploy }
  group   = "${var.name}-ci-deploy"
}

resource "aws_eks_access_entry" "deploy" {
  for_each = local.deploys

  cluster_name      = split("/", each.value.cluster_arn)[1]
  principal_arn     = aws_iam_role.this["deploy"].arn
  kubernetes_groups = [local.group]
  tags              = var.tags
}

resource "aws_eks_access_policy_association" "deploy" {
  for_each = local.deploys

  cluster_name  = aws_eks_access_entry.deploy[each.key].cluster_name
  principal_arn = aws_eks_access_entry.deploy[each.key].principal_arn
  policy_arn    = "arn:${data.aws_partition.current.partition}:eks::aws:cluster-access-policy/AmazonEKS${each.value.policy}Policy"

  access_scope {
    type       = "namespace"
    namespaces = each.value.namespaces
  }
}

# EKS's policies know Kubernetes' own resources only. What charts bring besides, the group may do, in the namespaces alone.
locals {
  rules = var.deploy == null ? [] : [for group, resources in var.deploy.custom_resources : {
    apiGroups = [group]
    resources = sort(resources)
    verbs     = ["create", "delete", "get", "list", "patch", "update", "watch"]
  }]

  rbac = flatten([for namespace in(var.deploy == null ? [] : sort(var.deploy.namespaces)) : concat(
    [yamlencode({ apiVersion = "v1", kind = "Namespace", metadata = { name = namespace } })],
    length(local.rules) == 0 ? [] : [
      yamlencode({
        apiVersion = "rbac.authorization.k8s.io/v1"
        kind       = "Role"
        metadata   = { name = local.group, namespace = namespace }
        rules      = local.rules
      }),
      yamlencode({
        apiVersion = "rbac.authorization.k8s.io/v1"
        kind       = "RoleBinding"
        metadata   = { name = local.group, namespace = namespace }
        roleRef    = { apiGroup = "rbac.authorization.k8s.io", kind = "Role", name = local.group }
        subjects   = [{ apiGroup = "rbac.authorization.k8s.io", kind = "Group", name = local.group }]
      }),
    ],
  )])
}
