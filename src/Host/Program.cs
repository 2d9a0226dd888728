return await Sagas.Host.SagasHost.RunAsync(args);
