// What an HTTP API hands to a function and takes from it, as far as this app
// looks at it. The package @types/aws-lambda has all of it.

export interface Event {
  rawPath: string;
  headers: Record<string, string>;
  body?: string;
  requestContext: {
    authorizer?: {
      iam?: {
        userArn: string;
        cognitoIdentity: { identityId: string; identityPoolId: string; amr: string[] } | null;
      };
    };
  };
}

export interface Result {
  statusCode: number;
  headers?: Record<string, string>;
  body: string;
}
