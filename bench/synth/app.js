// The tutorial's app as aws-cdk-lib describes it: what
// examples/rest-api-auth-twitter describes with package roost. CDK_OUTDIR says
// where the template goes. Functions' code is left out, as it is there.
'use strict';
const cdk = require('aws-cdk-lib');
const { CorsHttpMethod, HttpApi, HttpMethod, HttpNoneAuthorizer, HttpStage, LogGroupLogDestination } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpIamAuthorizer } = require('aws-cdk-lib/aws-apigatewayv2-authorizers');
const { HttpLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { AccessLogFormat } = require('aws-cdk-lib/aws-apigateway');
const cognito = require('aws-cdk-lib/aws-cognito');
const iam = require('aws-cdk-lib/aws-iam');
const lambda = require('aws-cdk-lib/aws-lambda');
const logs = require('aws-cdk-lib/aws-logs');
const s3 = require('aws-cdk-lib/aws-s3');

const app = new cdk.App({ analyticsReporting: false });
const stack = new cdk.Stack(app, 'dev-app-my-stack', { env: { region: 'us-east-1' } });
const group = (name) => new logs.LogGroup(stack, name, { retention: logs.RetentionDays.ONE_MONTH, removalPolicy: cdk.RemovalPolicy.DESTROY });

const api = new HttpApi(stack, 'Api', {
  apiName: 'dev-app-Api',
  createDefaultStage: false,
  corsPreflight: {
    allowHeaders: ['*'],
    allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.PUT, CorsHttpMethod.POST, CorsHttpMethod.HEAD, CorsHttpMethod.PATCH, CorsHttpMethod.DELETE, CorsHttpMethod.OPTIONS],
    allowOrigins: ['*'],
  },
});
new HttpStage(stack, 'DefaultStage', {
  httpApi: api,
  autoDeploy: true,
  accessLogSettings: {
    destination: new LogGroupLogDestination(group('ApiLogGroup')),
    format: AccessLogFormat.custom(JSON.stringify({ requestId: '$context.requestId', routeKey: '$context.routeKey', status: '$context.status' })),
  },
});

const assets = s3.Bucket.fromBucketName(stack, 'Assets', cdk.Fn.sub('cdk-hnb659fds-assets-${AWS::AccountId}-us-east-1'));
const route = (path, name, authorizer) => api.addRoutes({
  path,
  methods: [HttpMethod.GET],
  authorizer,
  integration: new HttpLambdaIntegration(name + 'Integration', new lambda.Function(stack, name, {
    architecture: lambda.Architecture.ARM_64,
    code: lambda.Code.fromBucket(assets, name + '.zip'),
    handler: 'bootstrap',
    logGroup: group(name + 'LogGroup'),
    memorySize: 1024,
    runtime: lambda.Runtime.PROVIDED_AL2023,
    timeout: cdk.Duration.seconds(10),
    tracing: lambda.Tracing.ACTIVE,
  })),
});
route('/private', 'Private', new HttpIamAuthorizer());
route('/public', 'Public', new HttpNoneAuthorizer());

const secret = (name) => new cdk.CfnParameter(stack, name, { noEcho: true }).valueAsString;
const pool = new cognito.CfnIdentityPool(stack, 'IdentityPool', {
  allowUnauthenticatedIdentities: false,
  identityPoolName: 'dev-app-Auth',
  supportedLoginProviders: { 'api.twitter.com': cdk.Fn.join(';', [secret('TwitterConsumerKey'), secret('TwitterConsumerSecret')]) },
});
const role = new iam.Role(stack, 'AuthRole', {
  assumedBy: new iam.WebIdentityPrincipal('cognito-identity.amazonaws.com', {
    'StringEquals': { 'cognito-identity.amazonaws.com:aud': pool.ref },
    'ForAnyValue:StringLike': { 'cognito-identity.amazonaws.com:amr': 'authenticated' },
  }),
});
role.addToPolicy(new iam.PolicyStatement({ actions: ['execute-api:Invoke'], resources: [api.arnForExecuteApi('*', '/*', '*')] }));
new cognito.CfnIdentityPoolRoleAttachment(stack, 'RoleAttachment', { identityPoolId: pool.ref, roles: { authenticated: role.roleArn } });

new cdk.CfnOutput(stack, 'ApiEndpoint', { value: api.apiEndpoint });
new cdk.CfnOutput(stack, 'IdentityPoolId', { value: pool.ref });
app.synth();
