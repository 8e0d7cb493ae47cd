locals {
  # The one action on everything: IAM knows no resource for it, and the password it gives opens what the rest allows.
  login = { Sid = "Login", Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] }

  roles = merge({
    plan = {
      description = "Plans, for pull requests: reads, and writes nothing"
      statements = [local.login, {
        Sid    = "ReadImages"
        Effect = "Allow"
        Action = [
          "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetDownloadUrlForLayer",
          "ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy", "ecr:ListImages", "ecr:ListTagsForResource",
        ]
        Resource = sort(var.repository_arns)
      }]
    }
    build = {
      description = "Builds images and pushes them to their repositories"
      statements = [local.login, {
        Sid    = "PushImages"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:GetDownloadUrlForLayer",
          "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
        ]
        Resource = sort(var.repository_arns)
      }]
    }
    }, var.deploy == null ? {} : {
    deploy = {
      description = "Deploys to its namespaces; what it may do there is said by its access entry"
      statements = [
        { Sid = "FindCluster", Effect = "Allow", Action = ["eks:DescribeCluster"], Resource = [var.deploy.cluster_arn] },
        { Sid = "ResolveImages", Effect = "Allow", Action = ["ecr:BatchGetImage"], Resource = sort(var.repository_arns) },
      ]
    }
  })
}
