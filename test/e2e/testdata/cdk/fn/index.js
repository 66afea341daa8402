exports.handler = async (event) => ({ statusCode: 200, body: `${process.env.GREETING} ${event.rawPath}` });

exports.onEvent = async (event) => ({
  PhysicalResourceId: "custom-1",
  Data: { Answer: `${event.RequestType} ${event.ResourceProperties.Word}` },
});
