import * as cdk from "aws-cdk-lib";
import * as apigw from "aws-cdk-lib/aws-apigatewayv2";
import { HttpIamAuthorizer } from "aws-cdk-lib/aws-apigatewayv2-authorizers";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import * as cognito from "aws-cdk-lib/aws-cognito";
import * as iam from "aws-cdk-lib/aws-iam";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as cr from "aws-cdk-lib/custom-resources";

const app = new cdk.App();
const stack = new cdk.Stack(app, "CdkStack", {
  env: { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION },
});
const node = new lambda.Function(stack, "Node", {
  runtime: lambda.Runtime.NODEJS_22_X,
  handler: "index.handler",
  code: lambda.Code.fromAsset("fn"),
  environment: { GREETING: "Hello" },
});
const go = new lambda.Function(stack, "Go", {
  runtime: lambda.Runtime.PROVIDED_AL2023,
  architecture: process.arch === "arm64" ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
  handler: "bootstrap",
  code: lambda.Code.fromAsset("go"),
});

const api = new apigw.HttpApi(stack, "Api");
const get = [apigw.HttpMethod.GET];
const authorizer = new HttpIamAuthorizer();
api.addRoutes({ path: "/open", methods: get, integration: new HttpLambdaIntegration("open", node) });
const [route] = api.addRoutes({ path: "/private", methods: get, integration: new HttpLambdaIntegration("private", go), authorizer });

const pool = new cognito.CfnIdentityPool(stack, "Pool", { allowUnauthenticatedIdentities: true });
const guest = new iam.Role(stack, "Guest", {
  assumedBy: new iam.WebIdentityPrincipal("cognito-identity.amazonaws.com", {
    StringEquals: { "cognito-identity.amazonaws.com:aud": pool.ref },
    "ForAnyValue:StringLike": { "cognito-identity.amazonaws.com:amr": "unauthenticated" },
  }),
});
route.grantInvoke(guest);
new cognito.CfnIdentityPoolRoleAttachment(stack, "Roles", {
  identityPoolId: pool.ref,
  roles: { unauthenticated: guest.roleArn },
});

const onEvent = new lambda.Function(stack, "OnEvent", {
  runtime: lambda.Runtime.NODEJS_22_X,
  handler: "index.onEvent",
  code: lambda.Code.fromAsset("fn"),
});
const provider = new cr.Provider(stack, "Provider", { onEventHandler: onEvent });
const custom = new cdk.CustomResource(stack, "Custom", {
  serviceToken: provider.serviceToken,
  properties: { Word: "one" },
});

new cdk.CfnOutput(stack, "Url", { value: api.apiEndpoint });
new cdk.CfnOutput(stack, "PoolId", { value: pool.ref });
new cdk.CfnOutput(stack, "Answer", { value: custom.getAttString("Answer") });
