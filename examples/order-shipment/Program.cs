using Sagas.Examples.OrderShipment;
using Sagas.Host;
using Sagas.Services;

return await SagasHost.RunAsync(args, new Features([.. Features.Product.Modules, new OrderShipmentModule()]));
